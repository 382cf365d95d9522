-- Packets of uplinks that rest on readings and not on published numbers: which periods were told, and with what.

-- told_uplink_packets --
SELECT start, digest, attempts
FROM smartpark.uplink_packet
WHERE uplink = %(uplink)s AND packet = %(packet)s AND start >= %(start)s AND start < %(end)s;

-- mark_uplink_packet_sent --
-- From here until an answer nobody knows what the platform has.
INSERT INTO smartpark.uplink_packet AS p (uplink, packet, start, digest, attempts, sent_at)
VALUES (%(uplink)s, %(packet)s, %(start)s, '', 1, %(now)s)
ON CONFLICT (uplink, packet, start) DO UPDATE SET digest = '', attempts = p.attempts + 1, sent_at = excluded.sent_at;

-- acknowledge_uplink_packet --
UPDATE smartpark.uplink_packet
SET digest = %(digest)s, acknowledged_at = %(now)s
WHERE uplink = %(uplink)s AND packet = %(packet)s AND start = %(start)s;

-- forget_uplink_packets --
DELETE FROM smartpark.uplink_packet
WHERE uplink = %(uplink)s AND start < %(before)s AND acknowledged_at < %(before)s;
