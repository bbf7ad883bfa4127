from contract_case import Case

CASE = Case(identity={}, variants=({}, {"ring_frames": 1_024}))
