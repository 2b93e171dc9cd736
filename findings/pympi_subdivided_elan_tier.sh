#!/usr/bin/env bash
# pympi makes an empty TextGrid tier of an ELAN tier whose annotations subdivide those of another: all labels vanish without a word.
#
# Versions: pympi-ling 1.71, Linux x86-64.
# Expected: in a tier of the type Time_Subdivision, the borders between annotations may have time slots without a time (the schema
#   EAF 3.0 leaves TIME_VALUE optional). ELAN spaces them evenly; a converter could do so too, or refuse.
# Seen: `to_textgrid` passes over every error of an interval, and so over each annotation that has such a slot on either side. The tier
#   is there, with one empty interval. `get_annotation_data_for_tier` gives None for the times, and
#   `get_annotation_data_at_time` raises a TypeError.
# Output:
#   in ELAN: scene 1000-4000 street
#   in ELAN: sounds 1000-None dog, None-None bell, None-4000 car
#   TextGrid: scene street
#   TextGrid: sounds (no label)
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pympi-ling==1.71
cd "$folder"
cat > in.eaf <<'XML'
<?xml version="1.0" encoding="UTF-8"?>
<ANNOTATION_DOCUMENT AUTHOR="" DATE="2026-01-01T00:00:00+00:00" FORMAT="3.0" VERSION="3.0"
    xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:noNamespaceSchemaLocation="http://www.mpi.nl/tools/elan/EAFv3.0.xsd">
  <HEADER TIME_UNITS="milliseconds"/>
  <TIME_ORDER>
    <TIME_SLOT TIME_SLOT_ID="ts1" TIME_VALUE="1000"/>
    <TIME_SLOT TIME_SLOT_ID="ts2"/>
    <TIME_SLOT TIME_SLOT_ID="ts3"/>
    <TIME_SLOT TIME_SLOT_ID="ts4" TIME_VALUE="4000"/>
  </TIME_ORDER>
  <TIER TIER_ID="scene" LINGUISTIC_TYPE_REF="free">
    <ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a1" TIME_SLOT_REF1="ts1" TIME_SLOT_REF2="ts4">
      <ANNOTATION_VALUE>street</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION>
  </TIER>
  <TIER TIER_ID="sounds" LINGUISTIC_TYPE_REF="parts" PARENT_REF="scene">
    <ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a2" TIME_SLOT_REF1="ts1" TIME_SLOT_REF2="ts2">
      <ANNOTATION_VALUE>dog</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION>
    <ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a3" TIME_SLOT_REF1="ts2" TIME_SLOT_REF2="ts3">
      <ANNOTATION_VALUE>bell</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION>
    <ANNOTATION><ALIGNABLE_ANNOTATION ANNOTATION_ID="a4" TIME_SLOT_REF1="ts3" TIME_SLOT_REF2="ts4">
      <ANNOTATION_VALUE>car</ANNOTATION_VALUE></ALIGNABLE_ANNOTATION></ANNOTATION>
  </TIER>
  <LINGUISTIC_TYPE LINGUISTIC_TYPE_ID="free" TIME_ALIGNABLE="true" GRAPHIC_REFERENCES="false"/>
  <LINGUISTIC_TYPE LINGUISTIC_TYPE_ID="parts" TIME_ALIGNABLE="true" GRAPHIC_REFERENCES="false" CONSTRAINTS="Time_Subdivision"/>
  <CONSTRAINT STEREOTYPE="Time_Subdivision" DESCRIPTION="Parts of the parent annotation without gaps"/>
</ANNOTATION_DOCUMENT>
XML
cat > show.py <<'PYTHON'
import pympi

elan = pympi.Elan.Eaf("in.eaf")
for name in ("scene", "sounds"):
    told = (f"{start}-{stop} {label}" for start, stop, label in elan.get_annotation_data_for_tier(name))
    print("in ELAN:", name, ", ".join(told))
for tier in elan.to_textgrid().get_tiers():
    print("TextGrid:", tier.name, " ".join(filter(None, (text for _, _, text in tier.get_all_intervals()))) or "(no label)")
PYTHON
"$folder/venv/bin/python" show.py | tee seen
diff seen - <<'SEEN'
in ELAN: scene 1000-4000 street
in ELAN: sounds 1000-None dog, None-None bell, None-4000 car
TextGrid: scene street
TextGrid: sounds (no label)
SEEN
