from contract_case import Case

CASE = Case(
    identity={"type": "peak", "cutoff_hz": 20_000, "gain_db": 0.0},
    variants=(
        {},
        {"type": "highpass", "cutoff_hz": 80.0},
        {"type": "bandpass", "cutoff_hz": 3_000.0, "q": 20.0},
        {"type": "notch", "cutoff_hz": 50.0, "q": 10.0},
        {"type": "peak", "cutoff_hz": 300.0, "q": 2.0, "gain_db": 24.0},
        {"type": "low_shelf", "cutoff_hz": 10.0, "q": 0.1, "gain_db": -24.0},
        {"type": "high_shelf", "cutoff_hz": 20_000.0, "q": 0.5, "gain_db": 12.0},
    ),
)
