from contract_case import Case

CASE = Case(
    identity={"mix_ratio": 0.0},
    variants=({}, {"mix_ratio": 1.0, "rate_hz": 10.0, "depth_ms": 10.0}, {"delay_ms": 0.5, "depth_ms": 0.0}),
)
