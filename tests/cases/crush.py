from contract_case import Case

CASE = Case(
    identity={"mix_ratio": 0.0},
    variants=({}, {"bits": 1.0, "downsample_ratio": 64}, {"bits": 24.0, "downsample_ratio": 1, "mix_ratio": 0.5}),
)
