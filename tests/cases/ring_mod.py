from contract_case import Case

CASE = Case(identity={"mix_ratio": 0.0}, variants=({}, {"carrier_hz": 3_000.0, "mix_ratio": 0.4}))
