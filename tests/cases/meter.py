from contract_case import Case

CASE = Case(identity={}, variants=({}, {"hold_ms": 0.0, "decay_db_per_s": 1_000.0}))
