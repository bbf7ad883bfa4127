from contract_case import Case

CASE = Case(
    identity={"threshold_db": -120.0},
    variants=(
        {},
        {"threshold_db": -20.0, "hold_ms": 3.0, "release_ms": 10.0, "range_db": 120.0},
        {"threshold_db": -30.0, "lookahead_ms": 0.0, "hold_ms": 0.0, "hysteresis_db": 0.0},
    ),
)
