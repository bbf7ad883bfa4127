from contract_case import Case

CASE = Case(
    identity={"strength_db": 0.0},
    variants=({}, {"payload": 11_259_375.0, "strength_db": 3.0, "key": "00112233445566778899aabbccddeeff"}),
)
