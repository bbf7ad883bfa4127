from contract_case import Case

CASE = Case(
    identity={},
    variants=(
        {},
        {"low_cut_hz": 80.0, "high_cut_hz": 12_000.0},
        {"low_shelf_gain_db": -12.0, "peak2_hz": 900.0, "peak2_q": 5.0, "peak2_gain_db": 18.0},
        {
            "low_cut_hz": 30.0,
            "low_shelf_hz": 20.0,
            "low_shelf_gain_db": 24.0,
            "peak1_hz": 60.0,
            "peak1_q": 20.0,
            "peak1_gain_db": 12.0,
            "peak3_gain_db": -24.0,
            "high_shelf_gain_db": 6.0,
            "high_cut_hz": 19_000.0,
        },
    ),
)
