from contract_case import Case

CASE = Case(
    identity={"ratio": 1.0},
    variants=(
        {},
        {"threshold_db": -40.0, "ratio": 20.0, "knee_db": 0.0, "attack_ms": 0.1, "release_ms": 5.0},
        {"threshold_db": -30.0, "knee_db": 24.0, "makeup_db": 12.0, "mix_ratio": 0.4},
    ),
)
