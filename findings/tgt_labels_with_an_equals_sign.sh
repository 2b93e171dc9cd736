#!/usr/bin/env bash
# tgt and praat-textgrids cut a label at " = " when they read a TextGrid, tgt also in a file that it wrote itself.
#
# Versions: tgt 1.5, praat-textgrids 1.4.0, pympi-ling 1.71, numpy 2.4.6, Linux x86-64.
# Expected: the text of an interval stands between quotation marks, so all in there is label. pympi reads it so.
# Seen: both split the line `text = "fan = high"` at each " = " and take the second piece; tgt then drops the piece's first and last
#   character, as if both were the quotation marks. Times and the number of labels are right, so nothing looks wrong. In the short
#   form of the same file, which has no `text =`, the label is whole.
# Output:
#   written: fan | fan = high | gain = -6 dB
#   pympi, long: fan | fan = high | gain = -6 dB
#   tgt, long: fan | fa | gai
#   praat-textgrids, long: fan | fan | gain
#   tgt, short: fan | fan = high | gain = -6 dB
#   praat-textgrids, short: fan | fan = high | gain = -6 dB
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check tgt==1.5 praat-textgrids==1.4.0 pympi-ling==1.71 numpy==2.4.6
cd "$folder"
cat > show.py <<'PYTHON'
import pympi
import textgrids
import tgt

labels = ["fan", "fan = high", "gain = -6 dB"]
tier = tgt.IntervalTier(0, len(labels), "sounds")
for second, label in enumerate(labels):
    tier.add_interval(tgt.Interval(second, second + 1, label))
grid = tgt.TextGrid()
grid.add_tier(tier)
for form in ("long", "short"):
    tgt.write_to_file(grid, f"{form}.TextGrid", format=form)


def show(name, texts):
    print(f"{name}: " + " | ".join(map(str, texts)))


show("written", labels)
show("pympi, long", [text for _, _, text in pympi.Praat.TextGrid("long.TextGrid").get_tier(1).get_all_intervals()])
for form in ("long", "short"):
    show(f"tgt, {form}", [interval.text for interval in tgt.read_textgrid(f"{form}.TextGrid").tiers[0]])
    show(f"praat-textgrids, {form}", [interval.text for interval in textgrids.TextGrid(f"{form}.TextGrid")["sounds"]])
PYTHON
"$folder/venv/bin/python" show.py | tee seen
diff seen - <<'SEEN'
written: fan | fan = high | gain = -6 dB
pympi, long: fan | fan = high | gain = -6 dB
tgt, long: fan | fa | gai
praat-textgrids, long: fan | fan | gain
tgt, short: fan | fan = high | gain = -6 dB
praat-textgrids, short: fan | fan = high | gain = -6 dB
SEEN
