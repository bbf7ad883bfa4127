from contract_case import Case

CASE = Case(identity={"delay_samples": 37}, variants=({}, {"delay_samples": 1}, {"delay_samples": 700}))
