from contract_case import Case

# No identity: for its first seconds it is heard, whatever its parameters; test_notice.py checks what follows them.
CASE = Case(variants=({"sound": "tone"}, {"sound": "spoken"}), silent=True)
