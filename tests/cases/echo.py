from contract_case import Case

CASE = Case(
    identity={"mix_ratio": 0.0},
    variants=(
        {},
        {"time_ms": 1.0, "feedback_ratio": 0.95, "cutoff_hz": 20_000.0},
        {"time_ms": 30.0, "feedback_ratio": 0.8, "cutoff_hz": 500.0, "mix_ratio": 1.0},
        {"time_ms": 7.0, "feedback_ratio": 0.0, "mix_ratio": 1.0},
    ),
)
