-- What was opened before says which of its parts are captures, by the positions of the forms that there were.
UPDATE essences SET essence = json_set(essence, '$.captures', json((
    SELECT json_group_array(key ORDER BY key) FROM json_each(essences.essence, '$.parts')
    WHERE key IN ('face', 'exception-photo') OR key GLOB 'finger-*' OR key GLOB 'iris-*')));

-- And who was founded or joined before has them.
UPDATE residents SET captures = (
    SELECT json_group_array(DISTINCT part.value ORDER BY part.value)
    FROM records r JOIN essences e ON (e.unit, e.record, e.sealed) = (r.unit, r.record, r.sealed),
         json_each(e.essence, '$.captures') capture, json_each(e.essence, '$.parts') part
    WHERE r.subject = residents.reference AND r.fate GLOB 'merged *' AND json_extract(e.essence, '$.transaction') = 'new'
      AND part.key = capture.value);
INSERT INTO resident_parts (part, reference)
    SELECT unhex(substr(value, 1, 32)), reference FROM residents, json_each(residents.captures);
