#!/bin/bash
aws cloudfront get-distribution-config --id "$D" > a.json
python3 - <<'PY'
import json
a = json.load(open("a.json"))
c = a["DistributionConfig"]
c["CacheBehaviors"]["Items"][0]["Compress"] = True
json.dump(c, open("b.json", "w"))
PY
aws cloudfront update-distribution --id "$D" --if-match "$(jq -r .ETag a.json)" --distribution-config file://b.json
