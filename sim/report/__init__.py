"""What it meant: tables, waits, bill and figures, all functions of the event log."""
