from contract_case import Case

CASE = Case(
    identity={"max_reduction_db": 0.0},
    variants=(
        {},
        {"threshold_db": -80.0, "frequency_hz": 2_000.0, "ratio": 20.0, "max_reduction_db": 24.0},
        {"threshold_db": -60.0, "frequency_hz": 12_000.0},
    ),
)
