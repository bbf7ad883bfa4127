from contract_case import Case

CASE = Case(identity={"depth_ratio": 0.0}, variants=({}, {"rate_hz": 50.0, "depth_ratio": 1.0}))
