-- The page counts open letters by reason every other second; there may be millions that somebody has dealt with.
CREATE INDEX dead_letter_open ON smartpark.dead_letter (reason, received_at) WHERE replayed_at IS NULL;
