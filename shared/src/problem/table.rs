problems! {
    TextMalformed "text-malformed" Unit Never
        "Text malformed." "…"
        "Text malformed." "…"
        "Text malformed." "…";
    UpgradeNeeded "upgrade-needed" Unit AfterStep
        "Upgrade needed." "…"
        "Upgrade needed." "…"
        "Upgrade needed." "…";
    NoteMalformed "note-malformed" Unit Never
        "Note malformed." "…"
        "Note malformed." "…"
        "Note malformed." "…";
    NoteSignatures "note-signatures" Unit Never
        "Note signatures." "…"
        "Note signatures." "…"
        "Note signatures." "…";
    SignatureInvalid "signature-invalid" Unit Never
        "Signature invalid." "…"
        "Signature invalid." "…"
        "Signature invalid." "…";
    CosignatureMissing "cosignature-missing" Person AfterStep
        "Cosignature missing." "…"
        "Cosignature missing." "…"
        "Cosignature missing." "…";
    KeyWrong "key-wrong" Unit Never
        "Key wrong." "…"
        "Key wrong." "…"
        "Key wrong." "…";
    KeyUnknown "key-unknown" Unit AfterStep
        "Key unknown." "…"
        "Key unknown." "…"
        "Key unknown." "…";
    NoRoster "no-roster" Person AfterStep
        "No roster." "…"
        "No roster." "…"
        "No roster." "…";
    RosterUnknown "roster-unknown" Centre Later
        "Roster unknown." "…"
        "Roster unknown." "…"
        "Roster unknown." "…";
    RosterRefused "roster-refused" Centre Never
        "Roster refused." "…"
        "Roster refused." "…"
        "Roster refused." "…";
    RosterExpired "roster-expired" Person AfterStep
        "Roster expired." "…"
        "Roster expired." "…"
        "Roster expired." "…";
    FormUnknown "form-unknown" Person AfterStep
        "Form unknown." "…"
        "Form unknown." "…"
        "Form unknown." "…";
    FormMismatch "form-mismatch" Centre AfterStep
        "Form mismatch." "…"
        "Form mismatch." "…"
        "Form mismatch." "…";
    ManifestTooLarge "manifest-too-large" Unit Never
        "Manifest too large." "…"
        "Manifest too large." "…"
        "Manifest too large." "…";
    ManifestInvalid "manifest-invalid" Unit Never
        "Manifest invalid." "…"
        "Manifest invalid." "…"
        "Manifest invalid." "…";
    EpochUnknown "epoch-unknown" Unit AfterStep
        "Epoch unknown." "…"
        "Epoch unknown." "…"
        "Epoch unknown." "…";
    LinesTooMany "lines-too-many" Unit Never
        "Lines too many." "…"
        "Lines too many." "…"
        "Lines too many." "…";
    BatchTooLarge "batch-too-large" Unit Never
        "Batch too large." "…"
        "Batch too large." "…"
        "Batch too large." "…";
    RecordTooLarge "record-too-large" Unit Never
        "Record too large." "…"
        "Record too large." "…"
        "Record too large." "…";
    RecordSignature "record-signature" Unit Never
        "Record signature." "…"
        "Record signature." "…"
        "Record signature." "…";
    RecordResigned "record-resigned" Unit Never
        "Record resigned." "…"
        "Record resigned." "…"
        "Record resigned." "…";
    CentreWrong "centre-wrong" Person AfterStep
        "Centre wrong." "…"
        "Centre wrong." "…"
        "Centre wrong." "…";
    PayloadCorrupt "payload-corrupt" Medium Later
        "Payload corrupt." "…"
        "Payload corrupt." "…"
        "Payload corrupt." "…";
    PayloadTruncated "payload-truncated" Medium Later
        "Payload truncated." "…"
        "Payload truncated." "…"
        "Payload truncated." "…";
    RecordDigest "record-digest" Unit Never
        "Record digest." "…"
        "Record digest." "…"
        "Record digest." "…";
    RecipientsWrong "recipients-wrong" Unit Never
        "Recipients wrong." "…"
        "Recipients wrong." "…"
        "Recipients wrong." "…";
    NotAge "not-age" Unit Never
        "Not age." "…"
        "Not age." "…"
        "Not age." "…";
    RecipientUnknown "recipient-unknown" Centre AfterStep
        "Recipient unknown." "…"
        "Recipient unknown." "…"
        "Recipient unknown." "…";
    SealDamaged "seal-damaged" Unit Never
        "Seal damaged." "…"
        "Seal damaged." "…"
        "Seal damaged." "…";
    Gap "gap" Medium Later
        "Gap." "…"
        "Gap." "…"
        "Gap." "…";
    Fork "fork" Unit AfterStep
        "Fork." "…"
        "Fork." "…"
        "Fork." "…";
    Repeat "repeat" Unit Never
        "Repeat." "…"
        "Repeat." "…"
        "Repeat." "…";
    Unapproved "unapproved" Person AfterStep
        "Unapproved." "…"
        "Unapproved." "…"
        "Unapproved." "…";
    SelfApproved "self-approved" Person AfterStep
        "Self approved." "…"
        "Self approved." "…"
        "Self approved." "…";
    Revoked "revoked" Unit AfterStep
        "Revoked." "…"
        "Revoked." "…"
        "Revoked." "…";
    AgentRevoked "agent-revoked" Person AfterStep
        "Agent revoked." "…"
        "Agent revoked." "…"
        "Agent revoked." "…";
    Frozen "frozen" Unit AfterStep
        "Frozen." "…"
        "Frozen." "…"
        "Frozen." "…";
    Duplicate "duplicate" Centre AfterStep
        "Duplicate." "…"
        "Duplicate." "…"
        "Duplicate." "…";
    Displaced "displaced" Centre AfterStep
        "Displaced." "…"
        "Displaced." "…"
        "Displaced." "…";
    Clock "clock" Unit AfterStep
        "Clock." "…"
        "Clock." "…"
        "Clock." "…";
    Waiting "waiting" Unit Later
        "Waiting." "…"
        "Waiting." "…"
        "Waiting." "…";
    NumberReused "number-reused" Unit AfterStep
        "Number reused." "…"
        "Number reused." "…"
        "Number reused." "…";
    RecordReused "record-reused" Unit AfterStep
        "Record reused." "…"
        "Record reused." "…"
        "Record reused." "…";
    Unopened "unopened" Centre AfterStep
        "Unopened." "…"
        "Unopened." "…"
        "Unopened." "…";
    LineMismatch "line-mismatch" Unit Never
        "Line mismatch." "…"
        "Line mismatch." "…"
        "Line mismatch." "…";
    PlainSizeWrong "plain-size-wrong" Unit Never
        "Plain size wrong." "…"
        "Plain size wrong." "…"
        "Plain size wrong." "…";
    PlainSizeExceeded "plain-size-exceeded" Unit Never
        "Plain size exceeded." "…"
        "Plain size exceeded." "…"
        "Plain size exceeded." "…";
    ZstdInvalid "zstd-invalid" Unit Never
        "Zstd invalid." "…"
        "Zstd invalid." "…"
        "Zstd invalid." "…";
    ZstdWindow "zstd-window" Unit Never
        "Zstd window." "…"
        "Zstd window." "…"
        "Zstd window." "…";
    PaddingWrong "padding-wrong" Unit Never
        "Padding wrong." "…"
        "Padding wrong." "…"
        "Padding wrong." "…";
    TarPathParent "tar-path-parent" Unit Never
        "Tar path parent." "…"
        "Tar path parent." "…"
        "Tar path parent." "…";
    TarPathAbsolute "tar-path-absolute" Unit Never
        "Tar path absolute." "…"
        "Tar path absolute." "…"
        "Tar path absolute." "…";
    TarLink "tar-link" Unit Never
        "Tar link." "…"
        "Tar link." "…"
        "Tar link." "…";
    TarDevice "tar-device" Unit Never
        "Tar device." "…"
        "Tar device." "…"
        "Tar device." "…";
    TarSparse "tar-sparse" Unit Never
        "Tar sparse." "…"
        "Tar sparse." "…"
        "Tar sparse." "…";
    TarPax "tar-pax" Unit Never
        "Tar pax." "…"
        "Tar pax." "…"
        "Tar pax." "…";
    TarDuplicate "tar-duplicate" Unit Never
        "Tar duplicate." "…"
        "Tar duplicate." "…"
        "Tar duplicate." "…";
    TarHeader "tar-header" Unit Never
        "Tar header." "…"
        "Tar header." "…"
        "Tar header." "…";
    TarEnd "tar-end" Unit Never
        "Tar end." "…"
        "Tar end." "…"
        "Tar end." "…";
    PartMissing "part-missing" Unit Never
        "Part missing." "…"
        "Part missing." "…"
        "Part missing." "…";
    PartExtra "part-extra" Unit Never
        "Part extra." "…"
        "Part extra." "…"
        "Part extra." "…";
    PartDigest "part-digest" Unit Never
        "Part digest." "…"
        "Part digest." "…"
        "Part digest." "…";
    PartsTooMany "parts-too-many" Unit Never
        "Parts too many." "…"
        "Parts too many." "…"
        "Parts too many." "…";
    JsonTooDeep "json-too-deep" Unit Never
        "Json too deep." "…"
        "Json too deep." "…"
        "Json too deep." "…";
    JsonTooLarge "json-too-large" Unit Never
        "Json too large." "…"
        "Json too large." "…"
        "Json too large." "…";
    JsonDuplicateKey "json-duplicate-key" Unit Never
        "Json duplicate key." "…"
        "Json duplicate key." "…"
        "Json duplicate key." "…";
    JsonNotUtf8 "json-not-utf8" Unit Never
        "Json not utf8." "…"
        "Json not utf8." "…"
        "Json not utf8." "…";
    JsonMalformed "json-malformed" Unit Never
        "Json malformed." "…"
        "Json malformed." "…"
        "Json malformed." "…";
    ContentInvalid "content-invalid" Unit Never
        "Content invalid." "…"
        "Content invalid." "…"
        "Content invalid." "…";
    FormInvalid "form-invalid" Person AfterStep
        "Form invalid." "…"
        "Form invalid." "…"
        "Form invalid." "…";
    ImageInvalid "image-invalid" Person AfterStep
        "Image invalid." "…"
        "Image invalid." "…"
        "Image invalid." "…";
    ImageTooLarge "image-too-large" Person AfterStep
        "Image too large." "…"
        "Image too large." "…"
        "Image too large." "…";
    HelloFirst "hello-first" Unit Later
        "Hello first." "…"
        "Hello first." "…"
        "Hello first." "…";
    TokenInvalid "token-invalid" Unit Later
        "Token invalid." "…"
        "Token invalid." "…"
        "Token invalid." "…";
    HelloLate "hello-late" Unit Later
        "Hello late." "…"
        "Hello late." "…"
        "Hello late." "…";
    VaultRewound "vault-rewound" Unit AfterStep
        "Vault rewound." "…"
        "Vault rewound." "…"
        "Vault rewound." "…";
    NotFound "not-found" Person Never
        "Not found." "…"
        "Not found." "…"
        "Not found." "…";
    MethodNotAllowed "method-not-allowed" Unit Never
        "Method not allowed." "…"
        "Method not allowed." "…"
        "Method not allowed." "…";
    OffsetWrong "offset-wrong" Unit Later
        "Offset wrong." "…"
        "Offset wrong." "…"
        "Offset wrong." "…";
    UploadLocked "upload-locked" Unit Later
        "Upload locked." "…"
        "Upload locked." "…"
        "Upload locked." "…";
    LengthWrong "length-wrong" Unit Never
        "Length wrong." "…"
        "Length wrong." "…"
        "Length wrong." "…";
    Busy "busy" Centre Later
        "Busy." "…"
        "Busy." "…"
        "Busy." "…";
    BodyTooLarge "body-too-large" Unit Never
        "Body too large." "…"
        "Body too large." "…"
        "Body too large." "…";
    TooSlow "too-slow" Medium Later
        "Too slow." "…"
        "Too slow." "…"
        "Too slow." "…";
    Pending "pending" Centre Later
        "Pending." "…"
        "Pending." "…"
        "Pending." "…";
    ProofInvalid "proof-invalid" Centre Never
        "Proof invalid." "…"
        "Proof invalid." "…"
        "Proof invalid." "…";
    LogInconsistent "log-inconsistent" Centre AfterStep
        "Log inconsistent." "…"
        "Log inconsistent." "…"
        "Log inconsistent." "…";
    CheckpointInvalid "checkpoint-invalid" Centre Never
        "Checkpoint invalid." "…"
        "Checkpoint invalid." "…"
        "Checkpoint invalid." "…";
    ReceiptInvalid "receipt-invalid" Centre Never
        "Receipt invalid." "…"
        "Receipt invalid." "…"
        "Receipt invalid." "…";
    OutcomeInvalid "outcome-invalid" Centre Never
        "Outcome invalid." "…"
        "Outcome invalid." "…"
        "Outcome invalid." "…";
    GuardAhead "guard-ahead" Centre AfterStep
        "Guard ahead." "…"
        "Guard ahead." "…"
        "Guard ahead." "…";
    GuardMissing "guard-missing" Centre AfterStep
        "Guard missing." "…"
        "Guard missing." "…"
        "Guard missing." "…";
    GuardConflict "guard-conflict" Centre AfterStep
        "Guard conflict." "…"
        "Guard conflict." "…"
        "Guard conflict." "…";
    ArchiveMissing "archive-missing" Centre AfterStep
        "Archive missing." "…"
        "Archive missing." "…"
        "Archive missing." "…";
    ArchiveDamaged "archive-damaged" Centre AfterStep
        "Archive damaged." "…"
        "Archive damaged." "…"
        "Archive damaged." "…";
    DatabaseNewer "database-newer" Centre AfterStep
        "Database newer." "…"
        "Database newer." "…"
        "Database newer." "…";
    ClockJump "clock-jump" Centre AfterStep
        "Clock jump." "…"
        "Clock jump." "…"
        "Clock jump." "…";
    AlreadyInitialised "already-initialised" Person Never
        "Already initialised." "…"
        "Already initialised." "…"
        "Already initialised." "…";
    NotInitialised "not-initialised" Person AfterStep
        "Not initialised." "…"
        "Not initialised." "…"
        "Not initialised." "…";
    LockedElsewhere "locked-elsewhere" Person Later
        "Locked elsewhere." "…"
        "Locked elsewhere." "…"
        "Locked elsewhere." "…";
    IoFailed "io-failed" Medium AfterStep
        "Io failed." "…"
        "Io failed." "…"
        "Io failed." "…";
    DiskFull "disk-full" Medium AfterStep
        "Disk full." "…"
        "Disk full." "…"
        "Disk full." "…";
    DatabaseFailed "database-failed" Medium AfterStep
        "Database failed." "…"
        "Database failed." "…"
        "Database failed." "…";
    WrongPassphrase "wrong-passphrase" Person AfterStep
        "Wrong passphrase." "…"
        "Wrong passphrase." "…"
        "Wrong passphrase." "…";
    SessionNeeded "session-needed" Person AfterStep
        "Session needed." "…"
        "Session needed." "…"
        "Session needed." "…";
    VaultNewer "vault-newer" Unit AfterStep
        "Vault newer." "…"
        "Vault newer." "…"
        "Vault newer." "…";
    VaultDamaged "vault-damaged" Unit AfterStep
        "Vault damaged." "…"
        "Vault damaged." "…"
        "Vault damaged." "…";
    KeyFileDamaged "key-file-damaged" Unit AfterStep
        "Key file damaged." "…"
        "Key file damaged." "…"
        "Key file damaged." "…";
    DraftUnknown "draft-unknown" Person AfterStep
        "Draft unknown." "…"
        "Draft unknown." "…"
        "Draft unknown." "…";
    DraftIncomplete "draft-incomplete" Person AfterStep
        "Draft incomplete." "…"
        "Draft incomplete." "…"
        "Draft incomplete." "…";
    FieldUnknown "field-unknown" Person AfterStep
        "Field unknown." "…"
        "Field unknown." "…"
        "Field unknown." "…";
    FieldInvalid "field-invalid" Person AfterStep
        "Field invalid." "…"
        "Field invalid." "…"
        "Field invalid." "…";
    ExceptionNotAllowed "exception-not-allowed" Person AfterStep
        "Exception not allowed." "…"
        "Exception not allowed." "…"
        "Exception not allowed." "…";
    NotConfirmed "not-confirmed" Person AfterStep
        "Not confirmed." "…"
        "Not confirmed." "…"
        "Not confirmed." "…";
    NothingToDo "nothing-to-do" Person Never
        "Nothing to do." "…"
        "Nothing to do." "…"
        "Nothing to do." "…";
    ReviewNeeded "review-needed" Person AfterStep
        "Review needed." "…"
        "Review needed." "…"
        "Review needed." "…";
    SelfApproval "self-approval" Person AfterStep
        "Self approval." "…"
        "Self approval." "…"
        "Self approval." "…";
    ReasonUnknown "reason-unknown" Person AfterStep
        "Reason unknown." "…"
        "Reason unknown." "…"
        "Reason unknown." "…";
    RecordUnknown "record-unknown" Person AfterStep
        "Record unknown." "…"
        "Record unknown." "…"
        "Record unknown." "…";
    UnitNotAdmitted "unit-not-admitted" Centre AfterStep
        "Unit not admitted." "…"
        "Unit not admitted." "…"
        "Unit not admitted." "…";
    AgentNotAdmitted "agent-not-admitted" Centre AfterStep
        "Agent not admitted." "…"
        "Agent not admitted." "…"
        "Agent not admitted." "…";
    EpochNeeded "epoch-needed" Centre AfterStep
        "Epoch needed." "…"
        "Epoch needed." "…"
        "Epoch needed." "…";
    CbeffInvalid "cbeff-invalid" Person AfterStep
        "Cbeff invalid." "…"
        "Cbeff invalid." "…"
        "Cbeff invalid." "…";
    InputUnreadable "input-unreadable" Person AfterStep
        "Input unreadable." "…"
        "Input unreadable." "…"
        "Input unreadable." "…";
    ServerUnreachable "server-unreachable" Medium Later
        "Server unreachable." "…"
        "Server unreachable." "…"
        "Server unreachable." "…";
    ServerUntrusted "server-untrusted" Centre AfterStep
        "Server untrusted." "…"
        "Server untrusted." "…"
        "Server untrusted." "…";
    ClockWrong "clock-wrong" Unit AfterStep
        "Clock wrong." "…"
        "Clock wrong." "…"
        "Clock wrong." "…";
    RefusedByCentre "refused-by-centre" Unit AfterStep
        "Refused by centre." "…"
        "Refused by centre." "…"
        "Refused by centre." "…";
    NotPrunable "not-prunable" Person Later
        "Not prunable." "…"
        "Not prunable." "…"
        "Not prunable." "…";
    SlipUnknown "slip-unknown" Person AfterStep
        "Slip unknown." "…"
        "Slip unknown." "…"
        "Slip unknown." "…";
    Usage "usage" Person AfterStep
        "Usage." "…"
        "Usage." "…"
        "Usage." "…";
    ConfigInvalid "config-invalid" Person AfterStep
        "Config invalid." "…"
        "Config invalid." "…"
        "Config invalid." "…";
}
