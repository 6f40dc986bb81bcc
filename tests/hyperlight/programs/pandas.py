import io

import pandas as pd

table = pd.read_csv(io.StringIO("city,day,mm\nOslo,2024-01-01,3\nOslo,2024-01-02,5\nRoma,2024-01-01,0\n"), parse_dates=["day"])
print(table.groupby("city")["mm"].agg(["sum", "mean"]).to_dict())
print(table.set_index("day").index.tz_localize("Europe/Rome")[0].isoformat())
table.to_json("table.json", orient="records")
print(pd.read_json("table.json").shape)
