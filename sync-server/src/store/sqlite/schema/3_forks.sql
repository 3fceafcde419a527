-- Whether a unit forked is asked for each of its batches, and nearly none has: these few are found at once.
CREATE INDEX batches_forked ON batches (unit, epoch, sequence) WHERE quarantined = 'fork';
