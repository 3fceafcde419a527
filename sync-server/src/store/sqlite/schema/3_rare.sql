-- Whether a unit forked is asked for each of its batches, and nearly none has: these few are found at once.
CREATE INDEX batches_forked ON batches (unit, epoch, sequence) WHERE quarantined = 'fork';

-- Records that are held because their opening broke off: looked for at each start, and nearly always none.
CREATE INDEX deliveries_unopened ON deliveries (batch) WHERE found = 'unopened';
