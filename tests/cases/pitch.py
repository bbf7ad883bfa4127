from contract_case import Case

CASE = Case(
    identity={"shift_semitones": 0.0, "formant_semitones": 0.0},
    identity_atol=1e-7,
    variants=(
        {},
        {"shift_semitones": 7.0},
        {"shift_semitones": -12.0, "formant_semitones": -5.0},
        {"shift_semitones": 24.0, "formant_semitones": 12.0},
        {"pitch_mode": "fixed", "target_hz": 220.0, "formant_semitones": 3.0},
        {"pitch_range_ratio": 2.0},
    ),
)
