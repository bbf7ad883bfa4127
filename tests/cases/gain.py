from contract_case import Case

CASE = Case(identity={"gain_db": 0.0}, variants=({}, {"gain_db": -6.0}, {"gain_db": -120.0}))
