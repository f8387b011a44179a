-- Who says a sentence of evidence, and how the probabilities of a run were calibrated. NULL in rows of older versions.
ALTER TABLE evidence ADD COLUMN voice VARCHAR;
ALTER TABLE evidence ADD COLUMN speaker VARCHAR;
COMMENT ON COLUMN evidence.voice IS 'own: the document says it; quoted: in quotation marks; reported: it says that somebody says';
COMMENT ON COLUMN evidence.speaker IS 'Role or organization of who is quoted or reported, as the text names it; never a person by name';

ALTER TABLE label_run ADD COLUMN calibration VARCHAR;
COMMENT ON COLUMN label_run.calibration IS 'JSON: shifts and temperatures, and the calibration error that was measured, by language and target; NULL where nobody measured';
