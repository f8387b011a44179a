-- One row a document: its day, and the moment where an hour is known. A feed that writes only a day has midnight: that is no hour.
CREATE VIEW document_time AS SELECT document_id, told_on AS day, moment FROM kept_document;
COMMENT ON VIEW document_time IS 'When a document was published: its day (UTC), and the moment where an hour is known';
