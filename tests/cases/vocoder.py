from contract_case import Case

CASE = Case(
    identity={"mix_ratio": 0.0},
    variants=(
        {},
        {"carrier": "pulse", "bands": 32, "pitch_hz": 1_000.0, "unvoiced_ratio": 0.0},
        {"carrier": "noise", "bands": 4, "mix_ratio": 0.5, "release_ms": 80.0},
        {"attack_ms": 1.0, "release_ms": 1.0, "pitch_hz": 40.0, "unvoiced_ratio": 1.0, "bands": 24},
    ),
)
