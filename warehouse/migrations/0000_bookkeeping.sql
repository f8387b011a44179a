-- What was applied to this warehouse: read before anything else.
CREATE TABLE migration (number INTEGER, name VARCHAR, sha256 VARCHAR, applied_at TIMESTAMPTZ);
COMMENT ON TABLE migration IS 'One row an applied migration; a file may never change once it is here';
COMMENT ON COLUMN migration.number IS 'First four digits of the file name';
COMMENT ON COLUMN migration.name IS 'File name';
COMMENT ON COLUMN migration.sha256 IS 'SHA-256 of the file when it was applied';
COMMENT ON COLUMN migration.applied_at IS 'When it was applied (UTC)';

CREATE TABLE view_source (name VARCHAR, sha256 VARCHAR, created_at TIMESTAMPTZ);
COMMENT ON TABLE view_source IS 'One row a view; where a text changes, all views are created anew';
COMMENT ON COLUMN view_source.name IS 'Name of the view and of its file';
COMMENT ON COLUMN view_source.sha256 IS 'SHA-256 of the text that created it';
COMMENT ON COLUMN view_source.created_at IS 'When it was created (UTC)';
