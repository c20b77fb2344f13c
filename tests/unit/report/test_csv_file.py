"""CSV files: what a spreadsheet would run is a text, and numbers stay numbers."""

from pathlib import Path

import pandas as pd

from sim.report.csv_file import write_csv


def test_texts_are_harmless_wherever_they_are_and_numbers_stay(tmp_path: Path) -> None:
    frame = pd.DataFrame({"=a": ["=1+1", None], "n": [-1.5, 2.0], "b": [True, False]}, index=["@x", "y\x1b"])
    frame.index.name = "of"
    write_csv(frame, tmp_path / "f.csv")
    assert (tmp_path / "f.csv").read_text() == "of,'=a,n,b\n'@x,'=1+1,-1.5,True\ny\\x1b,,2.0,False\n"
    write_csv(frame, tmp_path / "g.csv", index=False)
    assert (tmp_path / "g.csv").read_text() == "'=a,n,b\n'=1+1,-1.5,True\n,2.0,False\n"
