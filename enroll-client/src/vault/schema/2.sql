-- the slots of the key file that records name: whoever begins to capture looks at all others
CREATE INDEX records_by_review_slot ON records (review_slot) WHERE review_slot IS NOT NULL;
CREATE INDEX records_by_contact_slot ON records (contact_slot) WHERE contact_slot IS NOT NULL;
