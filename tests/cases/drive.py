from contract_case import Case

CASE = Case(
    identity={"mix_ratio": 0.0},
    variants=({}, {"drive_db": 48.0, "cutoff_hz": 500.0}, {"drive_db": 0.0, "cutoff_hz": 20_000.0, "mix_ratio": 0.5}),
)
