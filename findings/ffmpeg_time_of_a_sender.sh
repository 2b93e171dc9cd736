#!/usr/bin/env bash
# ffmpeg knows at which time a camera captured a packet (RTCP sender reports), and only its format NUT, version 4, writes that down.
#
# Versions: ffmpeg 5.1.9 (Debian 12), python3 3.11, Linux x86-64.
# Expected: a program that lists packets (ffprobe, framecrc) shows the time of the "producer reference time" that each has. Time
#   stamps of RTP may begin with any number, 0 included (RFC 3550, 5.1), and packets of 320 frames are 320 apart.
# Seen: ffprobe prints its name, framecrc its size, and neither the time. NUT with "-strict experimental -syncpoints none" holds the 16
#   bytes (microseconds since 1970, flags). If the first time stamp is 0, the second packet has the same one as the first.
# Output:
#   from 1000: ffprobe named 3, told 0; framecrc S=1,16; nut 1800000000.000000 1800000000.020000 1800000000.040000; stamps 0 320 640
#   from 0: ffprobe named 3, told 0; framecrc S=1,16; nut 1800000000.000000 1800000000.020000 1800000000.040000; stamps 0 0 320
set -euo pipefail
folder=$(mktemp -d)
trap 'kill "$camera" 2>/dev/null; rm -rf "$folder"' EXIT
cd "$folder"
cat > camera.py <<'PYTHON'
import re, socket, struct

listening = socket.create_server(("127.0.0.1", 0))
open("port", "w").write(str(listening.getsockname()[1]))
sdp = "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 0 RTP/AVP 96\r\na=rtpmap:96 L16/16000/1\r\n"
replies = {
    "DESCRIBE": f"Content-Type: application/sdp\r\nContent-Length: {len(sdp)}\r\n\r\n{sdp}",
    "SETUP": "Transport: RTP/AVP/TCP;unicast;interleaved=0-1\r\nSession: 1\r\n\r\n",
    "PLAY": "Session: 1\r\n\r\n",
}
while True:
    connection, _ = listening.accept()
    text = b""
    while piece := connection.recv(4096):
        text += piece
        if b"\r\n\r\n" not in text:
            continue
        method, url = text.decode(errors="replace").split(" ", 2)[:2]
        number = re.search(r"CSeq: (\d+)", text.decode(errors="replace"))[1]
        text = b""
        answer = replies.get(method, "Public: DESCRIBE, SETUP, PLAY\r\n\r\n")
        connection.sendall(f"RTSP/1.0 200 OK\r\nCSeq: {number}\r\n{answer}".encode())
        if method == "PLAY":
            first = int(url.rstrip("/").rsplit("/", 1)[1])
            ntp = (1_800_000_000 + 2_208_988_800) << 32
            report = struct.pack(">BBHIQIII", 0x80, 200, 6, 7, ntp, first, 0, 0)
            connection.sendall(b"$\1" + struct.pack(">H", len(report)) + report)
            for k in range(100):
                packet = struct.pack(">BBHII", 0x80, 96, k, first + 320 * k, 7) + bytes(640)
                connection.sendall(b"$\0" + struct.pack(">H", len(packet)) + packet)
            break
    connection.close()
PYTHON
python3 camera.py &
camera=$!
while [ ! -s port ]; do sleep 0.1; done
for first in 1000 0; do
    url="rtsp://127.0.0.1:$(cat port)/$first"
    read -ra input <<< "-rtsp_flags prefer_tcp -i $url"
    ffprobe -v error -show_packets "${input[@]}" > probed
    ffmpeg -nostdin -y -v error "${input[@]}" -map 0:a:0 -c copy -f framecrc lines \
        -map 0:a:0 -c copy -strict experimental -syncpoints none -f nut out.nut
    times=$(python3 -c '
import re, struct
marks = re.findall(rb"-SD-\d+\x04\x03bin\x10(.{8})\x18\0\0\0", open("out.nut", "rb").read(), re.DOTALL)
print(*["%.6f" % (struct.unpack("<q", mark)[0] / 1e6) for mark in marks[:3]])')
    named=$(grep -c "Producer Reference Time" probed || true)
    told=$(grep -c "1800000000" probed || true)
    size=$(grep -m 1 "^0," lines | grep -o "S=.*" | tr -d " ")
    stamps=$(grep -m 3 "^0," lines | awk -F, '{ print $3 + 0 }' | paste -sd " ")
    echo "from $first: ffprobe named $((named > 3 ? 3 : named)), told $told; framecrc $size; nut $times; stamps $stamps"
done | tee seen
diff seen - <<'SEEN'
from 1000: ffprobe named 3, told 0; framecrc S=1,16; nut 1800000000.000000 1800000000.020000 1800000000.040000; stamps 0 320 640
from 0: ffprobe named 3, told 0; framecrc S=1,16; nut 1800000000.000000 1800000000.020000 1800000000.040000; stamps 0 0 320
SEEN
