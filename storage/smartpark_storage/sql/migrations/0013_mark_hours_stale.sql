-- Being written.

SELECT 1;
