-- What is to be known before two targets' net stances are set side by side: us_approach is any administration's strategy,
-- china_initiative is certain initiatives.
CREATE VIEW target_note AS
SELECT * FROM (VALUES
    ('us_approach', 'not on one scale with china_initiative'),
    ('china_initiative', 'not on one scale with us_approach')
) AS note(target, note);
COMMENT ON VIEW target_note IS 'Targets whose net stances are not on one scale';
