from contract_case import Case

CASE = Case(
    identity={"ceiling_db": 0.0},
    variants=(
        {},
        {"ceiling_db": -20.0, "release_ms": 5.0, "lookahead_ms": 0.5},
        {"ceiling_db": -40.0, "release_ms": 1_000.0, "lookahead_ms": 10.0},
    ),
)
