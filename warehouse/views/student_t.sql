-- The 97.5 % quantile of Student's t by degrees of freedom, for intervals of 95 %: join by least(df, 200). One and two degrees in closed
-- form, from three on by its expansion (Abramowitz and Stegun 26.7.5 with fitted coefficients), right to 0.004 there and to 0.001 from four on.
CREATE VIEW student_t AS
SELECT df, CASE df WHEN 1 THEN tan(0.475 * pi()) WHEN 2 THEN 0.95 * sqrt(2 / (1 - 0.95 ** 2))
    ELSE 1.95996 + (2.37227 + (2.8225 + (2.55585 + 1.58953 / df) / df) / df) / df END AS t
FROM (SELECT unnest(range(1, 201)) AS df);
COMMENT ON VIEW student_t IS 'The 97.5 % quantile of Student''s t by degrees of freedom, 1 to 200';
