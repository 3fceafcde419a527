problems! {
    TextMalformed "text-malformed" Unit Never
        "A signed text is not written as its format demands. It was not taken in; nothing is lost." "Get the file again from where it came. If this repeats, report this code and the line number to the centre."
        "Un texte signé n'est pas écrit comme son format l'exige. Il n'a pas été pris en compte ; rien n'est perdu." "Reprenez le fichier à sa source. Si cela se répète, signalez au centre ce code et le numéro de ligne."
        "نص موقَّع غير مكتوب كما يفرضه شكله. لم يُؤخذ به ولم يضع شيء." "خذ الملف الرقمي من مصدره مرة أخرى. إذا تكرر ذلك فأبلغ المركز بهذا الرمز وبرقم السطر.";
    UpgradeNeeded "upgrade-needed" Unit AfterStep
        "This was written by a newer version of the software. It waits; nothing is lost." "Install the newer version on this machine, then give the same command again."
        "Ceci a été écrit par une version plus récente du logiciel. C'est en attente ; rien n'est perdu." "Installez la version plus récente sur cette machine, puis relancez la même commande."
        "كُتب هذا بإصدار أحدث من البرنامج. إنه في الانتظار ولم يضع شيء." "ثبّت الإصدار الأحدث على هذا الجهاز ثم أعد الأمر نفسه.";
    NoteMalformed "note-malformed" Unit Never
        "This is not a signed note, or it is damaged. It was not taken in; nothing is lost." "Get the file again from where it came. If this repeats, report this code to the centre."
        "Ce n'est pas une note signée, ou elle est abîmée. Elle n'a pas été prise en compte ; rien n'est perdu." "Reprenez le fichier à sa source. Si cela se répète, signalez ce code au centre."
        "هذه ليست مذكرة موقَّعة أو أنها تالفة. لم يُؤخذ بها ولم يضع شيء." "خذ الملف الرقمي من مصدره مرة أخرى. إذا تكرر ذلك فأبلغ المركز بهذا الرمز.";
    NoteSignatures "note-signatures" Unit Never
        "The signatures under a note are not exactly those it must carry, in their order. It was not accepted; the records stay on the unit." "On the unit run `enroll-client doctor` and report its result to the centre."
        "Les signatures d'une note ne sont pas exactement celles qu'elle doit porter, dans l'ordre. Elle n'a pas été acceptée ; les dossiers restent sur l'unité." "Sur l'unité, lancez `enroll-client doctor` et transmettez le résultat au centre."
        "التوقيعات أسفل المذكرة ليست هي المطلوبة بالضبط وبترتيبها. لم تُقبل، والملفات باقية في الوحدة." "شغّل على الوحدة `enroll-client doctor` وأبلغ المركز بالنتيجة.";
    SignatureInvalid "signature-invalid" Unit Never
        "A signature does not fit its text: the text was altered or damaged after it was signed. It was not accepted; the original is untouched." "Send the original again: `enroll-client sync`. If this repeats, keep the laptop as it is and tell the centre."
        "Une signature ne correspond pas à son texte : le texte a été modifié ou abîmé après la signature. Il n'a pas été accepté ; l'original est intact." "Renvoyez l'original : `enroll-client sync`. Si cela se répète, ne touchez plus à l'ordinateur et prévenez le centre."
        "توقيع لا يطابق نصه: غُيّر النص أو تلف بعد التوقيع. لم يُقبل، والأصل سليم." "أرسل الأصل مرة أخرى: `enroll-client sync`. إذا تكرر ذلك فاترك الحاسوب كما هو وأخبر المركز.";
    CosignatureMissing "cosignature-missing" Person AfterStep
        "The signature of a supervisor who is named in it is missing. It waits; nothing is lost." "Have that supervisor sign it on the unit, then send it again: `enroll-client sync`."
        "La signature d'un superviseur qui y est nommé manque. C'est en attente ; rien n'est perdu." "Faites-le signer par ce superviseur sur l'unité, puis renvoyez : `enroll-client sync`."
        "ينقص توقيع مشرف مذكور فيه. إنه في الانتظار ولم يضع شيء." "ليوقّعه هذا المشرف على الوحدة، ثم أعد الإرسال: `enroll-client sync`.";
    KeyWrong "key-wrong" Unit Never
        "It was signed with another key than the one registered under that name. It was not accepted; the records stay on the unit." "On the unit run `enroll-client doctor`; at the centre compare with `sync-server unit list` and `sync-server agent list`."
        "La signature vient d'une autre clé que celle enregistrée sous ce nom. Ce n'est pas accepté ; les dossiers restent sur l'unité." "Sur l'unité, lancez `enroll-client doctor` ; au centre, comparez avec `sync-server unit list` et `sync-server agent list`."
        "وُقّع بمفتاح غير المفتاح المسجَّل بهذا الاسم. لم يُقبل، والملفات باقية في الوحدة." "شغّل على الوحدة `enroll-client doctor`، وقارن في المركز مع `sync-server unit list` و `sync-server agent list`.";
    KeyUnknown "key-unknown" Unit AfterStep
        "The key that signed this was never admitted by the centre. It was not accepted; the records stay on the unit." "At the centre admit its request file: `sync-server unit admit FILE` or `sync-server agent admit FILE`. Then on the unit: `enroll-client sync`."
        "La clé qui a signé n'a jamais été admise par le centre. Ce n'est pas accepté ; les dossiers restent sur l'unité." "Au centre, admettez le fichier de demande : `sync-server unit admit FILE` ou `sync-server agent admit FILE`. Puis sur l'unité : `enroll-client sync`."
        "المفتاح الذي وقّع هذا لم يقبله المركز قط. لم يُقبل، والملفات باقية في الوحدة." "اقبل طلبه في المركز: `sync-server unit admit FILE` أو `sync-server agent admit FILE`. ثم على الوحدة: `enroll-client sync`.";
    NoRoster "no-roster" Person AfterStep
        "The unit has no roster yet, so it does not know who may enrol. Nothing is lost." "Take the roster over the network with `enroll-client sync`, or from a file with `enroll-client roster import FILE`."
        "L'unité n'a pas encore de liste d'habilitation : elle ne sait pas qui peut enrôler. Rien n'est perdu." "Prenez la liste par le réseau avec `enroll-client sync`, ou depuis un fichier avec `enroll-client roster import FILE`."
        "ليست للوحدة بعدُ قائمة المخوَّلين، فلا تعرف من يحق له التسجيل. لم يضع شيء." "خذ القائمة عبر الشبكة بالأمر `enroll-client sync` أو من ملف رقمي بالأمر `enroll-client roster import FILE`.";
    RosterUnknown "roster-unknown" Centre Later
        "It names a roster that is not known here yet. It waits; nothing is lost." "Run `enroll-client sync` again later. If it stays so, the centre looks at `sync-server roster show` and `sync-server doctor`."
        "Il est question d'une liste d'habilitation encore inconnue ici. C'est en attente ; rien n'est perdu." "Relancez `enroll-client sync` plus tard. Si cela dure, le centre consulte `sync-server roster show` et `sync-server doctor`."
        "يُذكر فيه إصدار من قائمة المخوَّلين غير معروف هنا بعد. إنه في الانتظار ولم يضع شيء." "أعد `enroll-client sync` لاحقًا. إذا استمر ذلك فليراجع المركز `sync-server roster show` و `sync-server doctor`.";
    RosterRefused "roster-refused" Centre Never
        "The roster offered was not taken: it is older, lacks signatures of the known signers, or lacks its proof. The present roster stays in force; nothing is lost." "Get the newest roster from the centre: `enroll-client sync` or `enroll-client roster import FILE`. If it is refused again, tell the centre by phone: it may be false."
        "La liste d'habilitation proposée n'a pas été prise : plus ancienne, sans les signatures connues ou sans preuve. La liste actuelle reste valable ; rien n'est perdu." "Prenez la dernière liste du centre : `enroll-client sync` ou `enroll-client roster import FILE`. Si elle est encore refusée, appelez le centre : elle peut être fausse."
        "لم تُؤخذ قائمة المخوَّلين المقترحة: فهي أقدم أو تنقصها التوقيعات المعروفة أو الإثبات. تبقى القائمة الحالية سارية ولم يضع شيء." "خذ أحدث قائمة من المركز: `enroll-client sync` أو `enroll-client roster import FILE`. إذا رُفضت ثانية فاتصل بالمركز: قد تكون مزوّرة.";
    RosterExpired "roster-expired" Person AfterStep
        "The roster is past its date and its grace: no new record can be finished. Drafts and finished records are safe." "Connect and run `enroll-client sync`, or bring the newest roster: `enroll-client roster import FILE`."
        "La liste d'habilitation a dépassé sa date et son délai : aucun nouveau dossier ne peut être terminé. Brouillons et dossiers terminés sont en sécurité." "Connectez-vous et lancez `enroll-client sync`, ou apportez la dernière liste : `enroll-client roster import FILE`."
        "انتهت مدة قائمة المخوَّلين ومهلتها: لا يمكن إتمام ملف جديد. المسودات والملفات المكتملة في أمان." "اتصل بالشبكة وشغّل `enroll-client sync` أو أحضر أحدث قائمة: `enroll-client roster import FILE`.";
    FormUnknown "form-unknown" Person AfterStep
        "The form that is named is not in the roster. Nothing is lost." "See the forms with `enroll-client form list`; take the newest with `enroll-client sync`. A new form is published with `sync-server roster publish`."
        "Le formulaire nommé n'est pas dans la liste d'habilitation. Rien n'est perdu." "Voyez les formulaires avec `enroll-client form list` ; prenez les derniers avec `enroll-client sync`. Un nouveau formulaire se publie avec `sync-server roster publish`."
        "الاستمارة المذكورة غير موجودة في قائمة المخوَّلين. لم يضع شيء." "اعرض الاستمارات بالأمر `enroll-client form list` وخذ أحدثها بالأمر `enroll-client sync`. تُنشر استمارة جديدة بالأمر `sync-server roster publish`.";
    FormMismatch "form-mismatch" Centre AfterStep
        "The form's file is not the one that the roster names: its size or digest differs. It is not used; nothing is lost." "Fetch it again with `enroll-client sync`. If it stays so, the centre publishes the form again: `sync-server roster publish`."
        "Le fichier du formulaire n'est pas celui que nomme la liste d'habilitation : taille ou empreinte différente. Il n'est pas utilisé ; rien n'est perdu." "Reprenez-le avec `enroll-client sync`. Si cela dure, le centre publie de nouveau le formulaire : `sync-server roster publish`."
        "ملف الاستمارة ليس هو المذكور في قائمة المخوَّلين: حجمه أو بصمته مختلفة. لا يُستعمل ولم يضع شيء." "خذه مرة أخرى بالأمر `enroll-client sync`. إذا استمر ذلك فلينشر المركز الاستمارة من جديد: `sync-server roster publish`.";
    ManifestTooLarge "manifest-too-large" Unit Never
        "The manifest of a batch is longer than 1,000,000 bytes. It was not accepted; the records stay on the unit." "Report this code and the batch to the centre. Close the next days in smaller batches: `enroll-client close`."
        "Le bordereau d'un lot dépasse 1 000 000 d'octets. Il n'a pas été accepté ; les dossiers restent sur l'unité." "Signalez ce code et le lot au centre. Fermez les jours suivants en lots plus petits : `enroll-client close`."
        "بيان الدفعة يتجاوز 1000000 بايت. لم يُقبل، والملفات باقية في الوحدة." "أبلغ المركز بهذا الرمز وبالدفعة. أغلق الأيام التالية في دفعات أصغر: `enroll-client close`.";
    ManifestInvalid "manifest-invalid" Unit Never
        "A manifest contradicts itself: its numbers, order, sizes or chain do not fit. It was not accepted; the records stay on the unit." "On the unit run `enroll-client doctor` and send its result with this code to the centre."
        "Un bordereau se contredit : numéros, ordre, tailles ou chaîne ne concordent pas. Il n'a pas été accepté ; les dossiers restent sur l'unité." "Sur l'unité, lancez `enroll-client doctor` et envoyez le résultat avec ce code au centre."
        "بيان الدفعة يناقض نفسه: الأرقام أو الترتيب أو الأحجام أو التسلسل لا تتطابق. لم يُقبل، والملفات باقية في الوحدة." "شغّل على الوحدة `enroll-client doctor` وأرسل النتيجة مع هذا الرمز إلى المركز.";
    EpochUnknown "epoch-unknown" Unit AfterStep
        "The unit works with a key period that the roster does not name. It was not accepted; the records stay on the unit." "Run `enroll-client sync` for the newest roster. If it stays so, the centre looks at `sync-server unit list` and admits the unit's request: `sync-server unit admit FILE`."
        "L'unité travaille avec une période de clé que la liste d'habilitation ne nomme pas. Ce n'est pas accepté ; les dossiers restent sur l'unité." "Lancez `enroll-client sync` pour la dernière liste. Si cela dure, le centre consulte `sync-server unit list` et admet la demande : `sync-server unit admit FILE`."
        "تعمل الوحدة بفترة مفتاح لا تذكرها قائمة المخوَّلين. لم يُقبل ذلك، والملفات باقية في الوحدة." "شغّل `enroll-client sync` لأخذ أحدث قائمة. إذا استمر ذلك فليراجع المركز `sync-server unit list` وليقبل الطلب: `sync-server unit admit FILE`.";
    LinesTooMany "lines-too-many" Unit Never
        "A batch has more than 500 lines. It was not accepted; the records stay on the unit." "Report this code and the batch to the centre. Close the next days in smaller batches: `enroll-client close`."
        "Un lot a plus de 500 lignes. Il n'a pas été accepté ; les dossiers restent sur l'unité." "Signalez ce code et le lot au centre. Fermez les jours suivants en lots plus petits : `enroll-client close`."
        "في الدفعة أكثر من 500 سطر. لم تُقبل، والملفات باقية في الوحدة." "أبلغ المركز بهذا الرمز وبالدفعة. أغلق الأيام التالية في دفعات أصغر: `enroll-client close`.";
    BatchTooLarge "batch-too-large" Unit Never
        "A batch is larger than the roster allows. It was not accepted; the records stay on the unit." "Report this code and the batch to the centre. Close the next days in smaller batches: `enroll-client close`."
        "Un lot est plus grand que la liste d'habilitation ne le permet. Il n'a pas été accepté ; les dossiers restent sur l'unité." "Signalez ce code et le lot au centre. Fermez les jours suivants en lots plus petits : `enroll-client close`."
        "حجم الدفعة أكبر مما تسمح به قائمة المخوَّلين. لم تُقبل، والملفات باقية في الوحدة." "أبلغ المركز بهذا الرمز وبالدفعة. أغلق الأيام التالية في دفعات أصغر: `enroll-client close`.";
    RecordTooLarge "record-too-large" Unit Never
        "A record is larger than the roster allows. It was not accepted; the draft or the sealed record is kept." "In a draft, attach smaller images with `enroll-client draft attach` and run `enroll-client finish` again. If the centre refused it, enrol the resident again."
        "Un dossier est plus grand que la liste d'habilitation ne le permet. Il n'a pas été accepté ; le brouillon ou le dossier scellé est conservé." "Dans un brouillon, joignez des images plus petites avec `enroll-client draft attach`, puis relancez `enroll-client finish`. Si le centre l'a refusé, enrôlez de nouveau la personne."
        "الملف أكبر مما تسمح به قائمة المخوَّلين. لم يُقبل، والمسودة أو الملف المختوم محفوظ." "في المسودة أرفق صورًا أصغر بالأمر `enroll-client draft attach` ثم أعد `enroll-client finish`. إذا رفضه المركز فسجّل الشخص من جديد.";
    RecordSignature "record-signature" Unit Never
        "The agent's signature under a record's line is not valid. The record is refused; the sealed bytes are kept and the others go on." "Enrol the resident again (`enroll-client outcome show` names the record) and have the unit checked: `enroll-client doctor`."
        "La signature de l'agent sur la ligne d'un dossier n'est pas valable. Le dossier est refusé ; ses octets scellés sont conservés et les autres continuent." "Enrôlez de nouveau la personne (`enroll-client outcome show` nomme le dossier) et faites vérifier l'unité : `enroll-client doctor`."
        "توقيع الموظف على سطر الملف غير صحيح. رُفض الملف، وبياناته المختومة محفوظة، وبقية الملفات مستمرة." "سجّل الشخص من جديد (يبيّن الملف الأمر `enroll-client outcome show`) وافحص الوحدة: `enroll-client doctor`.";
    RecordResigned "record-resigned" Unit Never
        "A record was signed by another agent than the one who enrolled the resident. This delivery is refused; the record still counts under its true line." "Find out at the centre who signed it: `sync-server record trace ID`. The record is safe when its own agent's line arrives."
        "Un dossier a été signé par un autre agent que celui qui a enrôlé la personne. Cette livraison est refusée ; le dossier compte toujours sous sa vraie ligne." "Au centre, cherchez qui l'a signé : `sync-server record trace ID`. Le dossier est sauf dès que la ligne de son propre agent arrive."
        "وقّع الملفَّ موظف غير الذي سجّل الشخص. رُفض هذا التسليم، ويبقى الملف معتبرًا بسطره الصحيح." "ابحث في المركز عمّن وقّعه: `sync-server record trace ID`. الملف في أمان عند وصول سطر موظفه.";
    CentreWrong "centre-wrong" Person AfterStep
        "This is meant for another centre. It was not taken in; nothing is lost." "Check the address of the server and the centre's name: `enroll-client doctor`, `enroll-client roster show`."
        "Ceci est destiné à un autre centre. Ce n'est pas pris en compte ; rien n'est perdu." "Vérifiez l'adresse du serveur et le nom du centre : `enroll-client doctor`, `enroll-client roster show`."
        "هذا موجَّه إلى مركز آخر. لم يُؤخذ به ولم يضع شيء." "تحقق من عنوان الخادم واسم المركز: `enroll-client doctor` و `enroll-client roster show`.";
    PayloadCorrupt "payload-corrupt" Medium Later
        "The batch was damaged on the way. The damaged copy was thrown away; the unit still has the whole one, nothing is lost." "`enroll-client sync` sends it again from the start; there is nothing else to do."
        "Le lot a été abîmé en route. La copie abîmée a été jetée ; l'unité a toujours l'original, rien n'est perdu." "`enroll-client sync` le renvoie depuis le début ; il n'y a rien d'autre à faire."
        "تلفت الدفعة في الطريق. حُذفت النسخة التالفة، والنسخة الكاملة باقية في الوحدة، فلم يضع شيء." "يعيد `enroll-client sync` إرسالها من البداية، ولا شيء آخر يلزم.";
    PayloadTruncated "payload-truncated" Medium Later
        "Only part of the batch has arrived. What arrived is kept; nothing is lost." "Run `enroll-client sync` again: it goes on where it stopped."
        "Seule une partie du lot est arrivée. Ce qui est arrivé est conservé ; rien n'est perdu." "Relancez `enroll-client sync` : l'envoi reprend où il s'est arrêté."
        "وصل جزء من الدفعة فقط. ما وصل محفوظ ولم يضع شيء." "أعد `enroll-client sync`: يستأنف الإرسال من حيث توقف.";
    RecordDigest "record-digest" Unit Never
        "The bytes of a record are not those that its signed line names. The record is refused; the others go on." "Enrol the resident again (`enroll-client outcome show` names the record) and have the laptop's disk checked: `enroll-client doctor`."
        "Les octets d'un dossier ne sont pas ceux que nomme sa ligne signée. Le dossier est refusé ; les autres continuent." "Enrôlez de nouveau la personne (`enroll-client outcome show` nomme le dossier) et faites vérifier le disque : `enroll-client doctor`."
        "بيانات الملف ليست هي المذكورة في سطره الموقَّع. رُفض الملف، وبقية الملفات مستمرة." "سجّل الشخص من جديد (يبيّن الملف الأمر `enroll-client outcome show`) وافحص القرص: `enroll-client doctor`.";
    RecipientsWrong "recipients-wrong" Unit Never
        "A record is sealed to others than the registry's two recipients. It is refused; the sealed bytes are kept and the others go on." "Take the newest roster (`enroll-client sync`), enrol the resident again, and have the unit checked: `enroll-client doctor`."
        "Un dossier est scellé pour d'autres destinataires que les deux du registre. Il est refusé ; ses octets sont conservés et les autres continuent." "Prenez la dernière liste d'habilitation (`enroll-client sync`), enrôlez de nouveau la personne et faites vérifier l'unité : `enroll-client doctor`."
        "خُتم الملف لغير مستلِمَي السجل. رُفض الملف، وبياناته المختومة محفوظة، وبقية الملفات مستمرة." "خذ أحدث قائمة (`enroll-client sync`) وسجّل الشخص من جديد وافحص الوحدة: `enroll-client doctor`.";
    NotAge "not-age" Unit Never
        "What should be a sealed record is not an age file. It is refused; the bytes are kept and the others go on." "Enrol the resident again (`enroll-client outcome show` names the record) and have the unit checked: `enroll-client doctor`."
        "Ce qui devrait être un dossier scellé n'est pas un fichier age. Il est refusé ; ses octets sont conservés et les autres continuent." "Enrôlez de nouveau la personne (`enroll-client outcome show` nomme le dossier) et faites vérifier l'unité : `enroll-client doctor`."
        "ما يجب أن يكون ملفًا مختومًا ليس بصيغة age. رُفض، وبياناته محفوظة، وبقية الملفات مستمرة." "سجّل الشخص من جديد (يبيّن الملف الأمر `enroll-client outcome show`) وافحص الوحدة: `enroll-client doctor`.";
    RecipientUnknown "recipient-unknown" Centre AfterStep
        "None of the centre's identities opens this record. Its bytes stay in the archive; the others go on." "If an identity was retired, put it back and run `sync-server doctor`, then `sync-server rebuild`. If it was sealed to a stranger, enrol the resident again."
        "Aucune identité du centre n'ouvre ce dossier. Ses octets restent dans les archives ; les autres continuent." "Si une identité a été retirée, remettez-la et lancez `sync-server doctor`, puis `sync-server rebuild`. S'il est scellé pour un inconnu, enrôlez de nouveau la personne."
        "لا تفتح أيٌّ من هويات المركز هذا الملف. بياناته باقية في الأرشيف، وبقية الملفات مستمرة." "إذا سُحبت هوية قديمة فأعدها وشغّل `sync-server doctor` ثم `sync-server rebuild`. وإذا خُتم لجهة غريبة فسجّل الشخص من جديد.";
    SealDamaged "seal-damaged" Unit Never
        "A sealed record is damaged inside: it does not open to the end. It is refused; the sealed bytes are kept and the others go on." "Enrol the resident again (`enroll-client outcome show` names the record) and have the unit checked: `enroll-client doctor`."
        "Un dossier scellé est abîmé à l'intérieur : il ne s'ouvre pas jusqu'au bout. Il est refusé ; ses octets sont conservés et les autres continuent." "Enrôlez de nouveau la personne (`enroll-client outcome show` nomme le dossier) et faites vérifier l'unité : `enroll-client doctor`."
        "الملف المختوم تالف من الداخل ولا يُفتح إلى آخره. رُفض، وبياناته المختومة محفوظة، وبقية الملفات مستمرة." "سجّل الشخص من جديد (يبيّن الملف الأمر `enroll-client outcome show`) وافحص الوحدة: `enroll-client doctor`.";
    Fork "fork" Unit AfterStep
        "Two different batches claim the same place in the unit's chain. Both are kept; the first one stands, and the records of the other wait for a person." "Stop enrolling on this unit and call the centre: its disk may have been copied or put back. The centre sees both with `sync-server batch list` and decides with `sync-server batch decide`."
        "Deux lots différents occupent la même place dans la chaîne de l'unité. Les deux sont conservés ; le premier reste, et les dossiers de l'autre attendent une personne." "Arrêtez d'enrôler sur cette unité et appelez le centre : son disque a pu être copié ou restauré. Le centre voit les deux avec `sync-server batch list` et décide avec `sync-server batch decide`."
        "دفعتان مختلفتان في الموضع نفسه من تسلسل الوحدة. كلتاهما محفوظة؛ تبقى الأولى، وتنتظر ملفات الأخرى قرار شخص." "أوقف التسجيل على هذه الوحدة واتصل بالمركز: ربما نُسخ قرصها أو استُرجع. يرى المركز الدفعتين بالأمر `sync-server batch list` ويقرر بالأمر `sync-server batch decide`.";
    Repeat "repeat" Unit Never
        "The same bytes had already arrived. Nothing is lost and nothing counts twice." "Nothing to do."
        "Les mêmes octets étaient déjà arrivés. Rien n'est perdu et rien ne compte deux fois." "Rien à faire."
        "وصلت البيانات نفسها من قبل. لم يضع شيء ولا يُحسب شيء مرتين." "لا شيء يلزم فعله.";
    Unapproved "unapproved" Person AfterStep
        "The batch was closed without a supervisor although the roster demands one. It is kept and has its receipt; its records are held." "An adjudicator at the centre decides: `sync-server batch show`, then `sync-server batch decide`. Have the next days approved: `enroll-client review list`, `enroll-client close`."
        "Le lot a été fermé sans superviseur alors que la liste d'habilitation en exige un. Il est conservé et a son reçu ; ses dossiers sont en attente." "Un arbitre du centre décide : `sync-server batch show`, puis `sync-server batch decide`. Faites approuver les jours suivants : `enroll-client review list`, `enroll-client close`."
        "أُغلقت الدفعة دون مشرف مع أن قائمة المخوَّلين تشترطه. هي محفوظة ولها وصل، وملفاتها معلَّقة." "يقرر محكِّم في المركز: `sync-server batch show` ثم `sync-server batch decide`. ولتُعتمد الأيام التالية: `enroll-client review list` ثم `enroll-client close`.";
    SelfApproved "self-approved" Person AfterStep
        "A supervisor approved records that they had enrolled themselves. The batch is kept and has its receipt; its records are held." "An adjudicator at the centre decides: `sync-server batch show`, then `sync-server batch decide`. Have the next days approved by somebody else."
        "Un superviseur a approuvé des dossiers qu'il avait enrôlés lui-même. Le lot est conservé et a son reçu ; ses dossiers sont en attente." "Un arbitre du centre décide : `sync-server batch show`, puis `sync-server batch decide`. Faites approuver les jours suivants par quelqu'un d'autre."
        "اعتمد مشرف ملفات سجّلها بنفسه. الدفعة محفوظة ولها وصل، وملفاتها معلَّقة." "يقرر محكِّم في المركز: `sync-server batch show` ثم `sync-server batch decide`. وليعتمد الأيام التالية شخص آخر.";
    Revoked "revoked" Unit AfterStep
        "This key has ended. Work from before the cut stays valid; what came later is kept but set aside." "On a unit stop enrolling and call the centre; it decides about the batches with `sync-server batch decide`. An ended key never comes back. A new one: for a laptop `enroll-client new-key`, for staff `sync-server staff add`."
        "Cette clé a pris fin. Le travail d'avant la coupure reste valable ; ce qui vient après est conservé mais mis de côté." "Sur une unité, arrêtez d'enrôler et appelez le centre, qui décide des lots avec `sync-server batch decide`. Une clé qui a pris fin ne revient jamais. Une nouvelle : pour un ordinateur `enroll-client new-key`, pour le personnel du centre `sync-server staff add`."
        "انتهى هذا المفتاح. العمل السابق للقطع يبقى صحيحًا، وما جاء بعده محفوظ لكنه موضوع جانبًا." "على الوحدة أوقف التسجيل واتصل بالمركز، وهو يقرر بشأن الدفعات بالأمر `sync-server batch decide`. والمفتاح المنتهي لا يعود أبدًا. ومفتاح جديد: للحاسوب `enroll-client new-key` ولموظفي المركز `sync-server staff add`.";
    AgentRevoked "agent-revoked" Person AfterStep
        "The key of the person who enrolled had ended. Work from before the cut stays valid; later records are kept but held." "This person stops enrolling and calls the centre; it looks at `sync-server agent list` and decides about the records with `sync-server case decide`."
        "La clé de la personne qui a enrôlé avait pris fin. Le travail d'avant la coupure reste valable ; les dossiers suivants sont conservés mais en attente." "Cette personne cesse d'enrôler et appelle le centre, qui consulte `sync-server agent list` et décide des dossiers avec `sync-server case decide`."
        "انتهى مفتاح الموظف الذي سجّل. العمل السابق للقطع يبقى صحيحًا، والملفات اللاحقة محفوظة لكنها معلَّقة." "ليتوقف هذا الموظف عن التسجيل وليتصل بالمركز، وهو يراجع `sync-server agent list` ويقرر بشأن الملفات بالأمر `sync-server case decide`.";
    Frozen "frozen" Unit AfterStep
        "The unit's key is frozen: it told the centre two things about its own batches that cannot both be true. All that was sent is kept; new work is set aside." "Stop enrolling on this unit and call the centre: `sync-server unit list`. The laptop goes on under a new key: `enroll-client new-key`, then `sync-server unit admit FILE --new-key --cut-old`. What it has not closed is signed again: `enroll-client resign`."
        "La clé de l'unité est gelée : elle a dit au centre deux choses sur ses propres lots qui ne peuvent être vraies toutes deux. Tout ce qui a été envoyé est conservé ; le nouveau travail est mis de côté." "Arrêtez d'enrôler sur cette unité et appelez le centre : `sync-server unit list`. L'ordinateur continue avec une nouvelle clé : `enroll-client new-key`, puis `sync-server unit admit FILE --new-key --cut-old`. Ce qui n'est pas fermé est signé de nouveau : `enroll-client resign`."
        "مفتاح الوحدة مجمَّد: قالت للمركز عن دفعاتها قولين لا يصحّان معًا. كل ما أُرسل محفوظ، والعمل الجديد يوضع جانبًا." "أوقف التسجيل على هذه الوحدة واتصل بالمركز: `sync-server unit list`. ويستمر الحاسوب بمفتاح جديد: `enroll-client new-key` ثم `sync-server unit admit FILE --new-key --cut-old`. وما لم يُغلق يوقَّع من جديد: `enroll-client resign`.";
    Duplicate "duplicate" Centre AfterStep
        "Somebody who seems to be the same person already stands in the registry. This record is held; nothing is lost." "An adjudicator compares the two with `sync-server case show` and decides with `sync-server case decide`. The unit has nothing to do."
        "Une personne qui semble être la même figure déjà au registre. Ce dossier est en attente ; rien n'est perdu." "Un arbitre compare les deux avec `sync-server case show` et décide avec `sync-server case decide`. L'unité n'a rien à faire."
        "يوجد في السجل شخص يبدو أنه الشخص نفسه. هذا الملف معلَّق ولم يضع شيء." "يقارن محكِّم بين الملفين بالأمر `sync-server case show` ويقرر بالأمر `sync-server case decide`. لا شيء يلزم على الوحدة.";
    Waiting "waiting" Unit Later
        "What this record renews, replaces or corrects was enrolled on the same unit and has not arrived yet. It is held and will settle by itself; nothing is lost." "Send what is still on the unit: `enroll-client sync`. `sync-server record trace ID` shows what is awaited."
        "Ce que ce dossier renouvelle, remplace ou corrige a été enrôlé sur la même unité et n'est pas encore arrivé. Il est en attente et se réglera tout seul ; rien n'est perdu." "Envoyez ce qui reste sur l'unité : `enroll-client sync`. `sync-server record trace ID` montre ce qui est attendu."
        "ما يجدده هذا الملف أو يعوضه أو يصححه سُجّل على الوحدة نفسها ولم يصل بعد. هو معلَّق وسيُسوّى تلقائيًا ولم يضع شيء." "أرسل ما بقي في الوحدة: `enroll-client sync`. ويبيّن `sync-server record trace ID` ما هو منتظر.";
    NumberReused "number-reused" Unit AfterStep
        "This number of the unit already stands for another record, or was withdrawn. The first one stands; this record is held until a person decides." "Stop enrolling on this unit and call the centre: its disk may have been put back. The centre decides with `sync-server case show` and `sync-server case decide`."
        "Ce numéro de l'unité désigne déjà un autre dossier, ou a été retiré. Le premier reste ; ce dossier attend la décision d'une personne." "Arrêtez d'enrôler sur cette unité et appelez le centre : son disque a pu être restauré. Le centre décide avec `sync-server case show` et `sync-server case decide`."
        "هذا الرقم من الوحدة يدل على ملف آخر من قبل أو سُحب. يبقى الأول، وهذا الملف معلَّق حتى يقرر شخص." "أوقف التسجيل على هذه الوحدة واتصل بالمركز: ربما استُرجع قرصها. يقرر المركز بالأمرين `sync-server case show` و `sync-server case decide`.";
    RecordReused "record-reused" Unit AfterStep
        "This record id came before with other bytes. The first one stands; this record is held until a person decides." "The centre decides with `sync-server case show` and `sync-server case decide`; have the unit checked: `enroll-client doctor`."
        "Cet identifiant de dossier est déjà arrivé avec d'autres octets. Le premier reste ; ce dossier attend la décision d'une personne." "Le centre décide avec `sync-server case show` et `sync-server case decide` ; faites vérifier l'unité : `enroll-client doctor`."
        "وصل معرّف الملف هذا من قبل ببيانات أخرى. يبقى الأول، وهذا الملف معلَّق حتى يقرر شخص." "يقرر المركز بالأمرين `sync-server case show` و `sync-server case decide`. وافحص الوحدة: `enroll-client doctor`.";
    Unopened "unopened" Centre AfterStep
        "Opening this record failed several times. It is kept and held; the others go on." "At the centre look at `sync-server record trace ID`; after an update `sync-server rebuild` tries again."
        "L'ouverture de ce dossier a échoué plusieurs fois. Il est conservé et en attente ; les autres continuent." "Au centre, consultez `sync-server record trace ID` ; après une mise à jour, `sync-server rebuild` essaie de nouveau."
        "فشل فتح هذا الملف عدة مرات. هو محفوظ ومعلَّق، وبقية الملفات مستمرة." "راجع في المركز `sync-server record trace ID`. بعد تحديث البرنامج يعيد `sync-server rebuild` المحاولة.";
    LineMismatch "line-mismatch" Unit Never
        "The inside of a record contradicts its signed line. This delivery is refused; the sealed bytes are kept, the others go on, and the same bytes under their true line still count." "Look at `sync-server record trace ID` and ask unit and agent. If the true line does not come, enrol the resident again."
        "L'intérieur d'un dossier contredit sa ligne signée. Cette livraison est refusée ; ses octets sont conservés, les autres continuent, et les mêmes octets sous leur vraie ligne comptent toujours." "Consultez `sync-server record trace ID` et interrogez l'unité et l'agent. Si la vraie ligne ne vient pas, enrôlez de nouveau la personne."
        "محتوى الملف يناقض سطره الموقَّع. رُفض هذا التسليم، وبياناته المختومة محفوظة، وبقية الملفات مستمرة، وتبقى البيانات نفسها معتبرة بسطرها الصحيح." "راجع `sync-server record trace ID` واسأل الوحدة والموظف. إذا لم يصل السطر الصحيح فسجّل الشخص من جديد.";
    PlainSizeWrong "plain-size-wrong" Unit Never
        "A record's size after opening is not the signed one. It is refused; the sealed bytes are kept and the others go on." "Enrol the resident again (`enroll-client outcome show` names the record) and have the unit checked: `enroll-client doctor`."
        "La taille d'un dossier une fois ouvert n'est pas celle qui est signée. Il est refusé ; ses octets sont conservés et les autres continuent." "Enrôlez de nouveau la personne (`enroll-client outcome show` nomme le dossier) et faites vérifier l'unité : `enroll-client doctor`."
        "حجم الملف بعد فتحه ليس هو الحجم الموقَّع. رُفض، وبياناته المختومة محفوظة، وبقية الملفات مستمرة." "سجّل الشخص من جديد (يبيّن الملف الأمر `enroll-client outcome show`) وافحص الوحدة: `enroll-client doctor`.";
    PlainSizeExceeded "plain-size-exceeded" Unit Never
        "A record grows past its signed or allowed size when opened; opening was stopped. It is refused; the sealed bytes are kept and the others go on." "Enrol the resident again (`enroll-client outcome show` names the record) and have the unit checked: `enroll-client doctor`."
        "À l'ouverture, un dossier dépasse la taille signée ou permise ; l'ouverture a été arrêtée. Il est refusé ; ses octets sont conservés et les autres continuent." "Enrôlez de nouveau la personne (`enroll-client outcome show` nomme le dossier) et faites vérifier l'unité : `enroll-client doctor`."
        "تجاوز الملف عند فتحه الحجم الموقَّع أو المسموح، فأُوقف الفتح. رُفض، وبياناته المختومة محفوظة، وبقية الملفات مستمرة." "سجّل الشخص من جديد (يبيّن الملف الأمر `enroll-client outcome show`) وافحص الوحدة: `enroll-client doctor`.";
    ZstdInvalid "zstd-invalid" Unit Never
        "The compression inside a record is damaged or not zstd. It is refused; the sealed bytes are kept and the others go on." "Enrol the resident again (`enroll-client outcome show` names the record) and have the unit checked: `enroll-client doctor`."
        "La compression à l'intérieur d'un dossier est abîmée ou n'est pas du zstd. Il est refusé ; ses octets sont conservés et les autres continuent." "Enrôlez de nouveau la personne (`enroll-client outcome show` nomme le dossier) et faites vérifier l'unité : `enroll-client doctor`."
        "ضغط البيانات داخل الملف تالف أو ليس بصيغة zstd. رُفض، وبياناته المختومة محفوظة، وبقية الملفات مستمرة." "سجّل الشخص من جديد (يبيّن الملف الأمر `enroll-client outcome show`) وافحص الوحدة: `enroll-client doctor`.";
    ZstdWindow "zstd-window" Unit Never
        "A record demands more memory to decompress than is allowed. It is refused; the sealed bytes are kept and the others go on." "Enrol the resident again (`enroll-client outcome show` names the record) and have the unit checked: `enroll-client doctor`."
        "Un dossier demande plus de mémoire à la décompression qu'il n'est permis. Il est refusé ; ses octets sont conservés et les autres continuent." "Enrôlez de nouveau la personne (`enroll-client outcome show` nomme le dossier) et faites vérifier l'unité : `enroll-client doctor`."
        "يتطلب فك ضغط الملف ذاكرة أكبر من المسموح. رُفض، وبياناته المختومة محفوظة، وبقية الملفات مستمرة." "سجّل الشخص من جديد (يبيّن الملف الأمر `enroll-client outcome show`) وافحص الوحدة: `enroll-client doctor`.";
    PaddingWrong "padding-wrong" Unit Never
        "What follows the compressed data in a record is not the agreed padding. It is refused; the sealed bytes are kept and the others go on." "Enrol the resident again (`enroll-client outcome show` names the record) and have the unit checked: `enroll-client doctor`."
        "Ce qui suit les données compressées d'un dossier n'est pas le remplissage convenu. Il est refusé ; ses octets sont conservés et les autres continuent." "Enrôlez de nouveau la personne (`enroll-client outcome show` nomme le dossier) et faites vérifier l'unité : `enroll-client doctor`."
        "ما يلي البيانات المضغوطة في الملف ليس هو الحشو المتفق عليه. رُفض، وبياناته المختومة محفوظة، وبقية الملفات مستمرة." "سجّل الشخص من جديد (يبيّن الملف الأمر `enroll-client outcome show`) وافحص الوحدة: `enroll-client doctor`.";
    TarPathParent "tar-path-parent" Unit Never
        "A part's name inside the tar tries to leave its folder (`..`). Nothing was unpacked; the tar is refused and the others go on." "Make the tar again without such names. If it was a sealed record, enrol the resident again and have the unit checked: `enroll-client doctor`."
        "Le nom d'une pièce dans le tar veut sortir de son dossier (`..`). Rien n'a été extrait ; le tar est refusé et les autres continuent." "Refaites le tar sans de tels noms. Si c'était un dossier scellé, enrôlez de nouveau la personne et faites vérifier l'unité : `enroll-client doctor`."
        "اسم جزء داخل tar يحاول الخروج من مجلده (`..`). لم يُستخرج شيء، ورُفض tar، والبقية مستمرة." "أنشئ tar من جديد دون مثل هذه الأسماء. وإذا كان ملفًا مختومًا فسجّل الشخص من جديد وافحص الوحدة: `enroll-client doctor`.";
    TarPathAbsolute "tar-path-absolute" Unit Never
        "A part's name inside the tar is an absolute path. Nothing was unpacked; the tar is refused and the others go on." "Make the tar again with plain names. If it was a sealed record, enrol the resident again and have the unit checked: `enroll-client doctor`."
        "Le nom d'une pièce dans le tar est un chemin absolu. Rien n'a été extrait ; le tar est refusé et les autres continuent." "Refaites le tar avec des noms simples. Si c'était un dossier scellé, enrôlez de nouveau la personne et faites vérifier l'unité : `enroll-client doctor`."
        "اسم جزء داخل tar مسار مطلق. لم يُستخرج شيء، ورُفض tar، والبقية مستمرة." "أنشئ tar من جديد بأسماء بسيطة. وإذا كان ملفًا مختومًا فسجّل الشخص من جديد وافحص الوحدة: `enroll-client doctor`.";
    TarLink "tar-link" Unit Never
        "The tar contains a link. Nothing was unpacked; the tar is refused and the others go on." "Make the tar again with ordinary files only. If it was a sealed record, enrol the resident again and have the unit checked: `enroll-client doctor`."
        "Le tar contient un lien. Rien n'a été extrait ; le tar est refusé et les autres continuent." "Refaites le tar avec des fichiers ordinaires seulement. Si c'était un dossier scellé, enrôlez de nouveau la personne et faites vérifier l'unité : `enroll-client doctor`."
        "يحتوي tar على رابط. لم يُستخرج شيء، ورُفض tar، والبقية مستمرة." "أنشئ tar من جديد بملفات رقمية عادية فقط. وإذا كان ملفًا مختومًا فسجّل الشخص من جديد وافحص الوحدة: `enroll-client doctor`.";
    TarDevice "tar-device" Unit Never
        "The tar contains a device or another special file. Nothing was unpacked; the tar is refused and the others go on." "Make the tar again with ordinary files only. If it was a sealed record, enrol the resident again and have the unit checked: `enroll-client doctor`."
        "Le tar contient un périphérique ou un autre fichier spécial. Rien n'a été extrait ; le tar est refusé et les autres continuent." "Refaites le tar avec des fichiers ordinaires seulement. Si c'était un dossier scellé, enrôlez de nouveau la personne et faites vérifier l'unité : `enroll-client doctor`."
        "يحتوي tar على ملف جهاز أو ملف خاص آخر. لم يُستخرج شيء، ورُفض tar، والبقية مستمرة." "أنشئ tar من جديد بملفات رقمية عادية فقط. وإذا كان ملفًا مختومًا فسجّل الشخص من جديد وافحص الوحدة: `enroll-client doctor`.";
    TarSparse "tar-sparse" Unit Never
        "The tar contains a sparse file. Nothing was unpacked; the tar is refused and the others go on." "Make the tar again as plain ustar. If it was a sealed record, enrol the resident again and have the unit checked: `enroll-client doctor`."
        "Le tar contient un fichier à trous. Rien n'a été extrait ; le tar est refusé et les autres continuent." "Refaites le tar en simple ustar. Si c'était un dossier scellé, enrôlez de nouveau la personne et faites vérifier l'unité : `enroll-client doctor`."
        "يحتوي tar على ملف ذي فراغات (sparse). لم يُستخرج شيء، ورُفض tar، والبقية مستمرة." "أنشئ tar من جديد بصيغة ustar البسيطة. وإذا كان ملفًا مختومًا فسجّل الشخص من جديد وافحص الوحدة: `enroll-client doctor`.";
    TarPax "tar-pax" Unit Never
        "The tar contains extended headers (pax or GNU) that could override names and sizes. Nothing was unpacked; the tar is refused and the others go on." "Make the tar again as plain ustar (`tar --format=ustar`). If it was a sealed record, enrol the resident again and have the unit checked: `enroll-client doctor`."
        "Le tar contient des en-têtes étendus (pax ou GNU) qui pourraient changer noms et tailles. Rien n'a été extrait ; le tar est refusé et les autres continuent." "Refaites le tar en simple ustar (`tar --format=ustar`). Si c'était un dossier scellé, enrôlez de nouveau la personne et faites vérifier l'unité : `enroll-client doctor`."
        "يحتوي tar على ترويسات موسَّعة (pax أو GNU) قد تغيّر الأسماء والأحجام. لم يُستخرج شيء، ورُفض tar، والبقية مستمرة." "أنشئ tar من جديد بصيغة ustar البسيطة (`tar --format=ustar`). وإذا كان ملفًا مختومًا فسجّل الشخص من جديد وافحص الوحدة: `enroll-client doctor`.";
    TarDuplicate "tar-duplicate" Unit Never
        "The tar contains the same name twice. Nothing was unpacked; the tar is refused and the others go on." "Make the tar again with each name once. If it was a sealed record, enrol the resident again and have the unit checked: `enroll-client doctor`."
        "Le tar contient deux fois le même nom. Rien n'a été extrait ; le tar est refusé et les autres continuent." "Refaites le tar avec chaque nom une seule fois. Si c'était un dossier scellé, enrôlez de nouveau la personne et faites vérifier l'unité : `enroll-client doctor`."
        "يتكرر الاسم نفسه داخل tar. لم يُستخرج شيء، ورُفض tar، والبقية مستمرة." "أنشئ tar من جديد بكل اسم مرة واحدة. وإذا كان ملفًا مختومًا فسجّل الشخص من جديد وافحص الوحدة: `enroll-client doctor`.";
    TarHeader "tar-header" Unit Never
        "A header inside the tar is not written as agreed. Nothing was unpacked; the tar is refused and the others go on." "Make the tar again as plain ustar. If it was a sealed record, enrol the resident again and have the unit checked: `enroll-client doctor`."
        "Un en-tête dans le tar n'est pas écrit comme convenu. Rien n'a été extrait ; le tar est refusé et les autres continuent." "Refaites le tar en simple ustar. Si c'était un dossier scellé, enrôlez de nouveau la personne et faites vérifier l'unité : `enroll-client doctor`."
        "ترويسة داخل tar غير مكتوبة كما هو متفق عليه. لم يُستخرج شيء، ورُفض tar، والبقية مستمرة." "أنشئ tar من جديد بصيغة ustar البسيطة. وإذا كان ملفًا مختومًا فسجّل الشخص من جديد وافحص الوحدة: `enroll-client doctor`.";
    TarEnd "tar-end" Unit Never
        "The tar does not end as agreed: it is cut off, or something follows its end. Nothing was unpacked; the tar is refused and the others go on." "Copy or make the tar again. If it was a sealed record, enrol the resident again and have the unit checked: `enroll-client doctor`."
        "Le tar ne finit pas comme convenu : il est coupé, ou quelque chose suit sa fin. Rien n'a été extrait ; le tar est refusé et les autres continuent." "Recopiez ou refaites le tar. Si c'était un dossier scellé, enrôlez de nouveau la personne et faites vérifier l'unité : `enroll-client doctor`."
        "لا ينتهي tar كما هو متفق عليه: إما مبتور أو يتبع نهايتَه شيء. لم يُستخرج شيء، ورُفض tar، والبقية مستمرة." "انسخ tar أو أنشئه من جديد. وإذا كان ملفًا مختومًا فسجّل الشخص من جديد وافحص الوحدة: `enroll-client doctor`.";
    PartMissing "part-missing" Unit Never
        "A part that the record lists is not there. Nothing was taken in; what was given is untouched." "Add the part and hand it in again. If it was a sealed record, enrol the resident again and have the unit checked: `enroll-client doctor`."
        "Une pièce que le dossier énumère n'y est pas. Rien n'a été pris en compte ; ce qui a été remis est intact." "Ajoutez la pièce et présentez de nouveau. Si c'était un dossier scellé, enrôlez de nouveau la personne et faites vérifier l'unité : `enroll-client doctor`."
        "جزء مذكور في الملف غير موجود. لم يُؤخذ شيء، وما سُلّم باقٍ كما هو." "أضف الجزء وقدّمه من جديد. وإذا كان ملفًا مختومًا فسجّل الشخص من جديد وافحص الوحدة: `enroll-client doctor`.";
    PartExtra "part-extra" Unit Never
        "There is a part that the record does not list. Nothing was taken in; what was given is untouched." "Remove the part or list it, and hand it in again. If it was a sealed record, enrol the resident again and have the unit checked: `enroll-client doctor`."
        "Il y a une pièce que le dossier n'énumère pas. Rien n'a été pris en compte ; ce qui a été remis est intact." "Retirez la pièce ou énumérez-la, puis présentez de nouveau. Si c'était un dossier scellé, enrôlez de nouveau la personne et faites vérifier l'unité : `enroll-client doctor`."
        "يوجد جزء غير مذكور في الملف. لم يُؤخذ شيء، وما سُلّم باقٍ كما هو." "احذف الجزء أو اذكره ثم قدّمه من جديد. وإذا كان ملفًا مختومًا فسجّل الشخص من جديد وافحص الوحدة: `enroll-client doctor`.";
    PartDigest "part-digest" Unit Never
        "A part is not the one that the record names: its size or digest differs. Nothing was taken in; what was given is untouched." "Attach the part again with `enroll-client draft attach`. If it was a sealed record, enrol the resident again and have the unit checked: `enroll-client doctor`."
        "Une pièce n'est pas celle que nomme le dossier : taille ou empreinte différente. Rien n'a été pris en compte ; ce qui a été remis est intact." "Joignez de nouveau la pièce avec `enroll-client draft attach`. Si c'était un dossier scellé, enrôlez de nouveau la personne et faites vérifier l'unité : `enroll-client doctor`."
        "جزء ليس هو المذكور في الملف: حجمه أو بصمته مختلفة. لم يُؤخذ شيء، وما سُلّم باقٍ كما هو." "أرفق الجزء من جديد بالأمر `enroll-client draft attach`. وإذا كان ملفًا مختومًا فسجّل الشخص من جديد وافحص الوحدة: `enroll-client doctor`.";
    PartsTooMany "parts-too-many" Unit Never
        "A record has more than 64 parts. It was not taken in; the draft is kept." "Leave out parts that are not needed, then run `enroll-client finish` again."
        "Un dossier a plus de 64 pièces. Il n'a pas été pris en compte ; le brouillon est conservé." "Retirez les pièces inutiles, puis relancez `enroll-client finish`."
        "في الملف أكثر من 64 جزءًا. لم يُؤخذ به، والمسودة محفوظة." "احذف الأجزاء غير اللازمة ثم أعد `enroll-client finish`.";
    JsonTooDeep "json-too-deep" Unit Never
        "A JSON text is nested deeper than 16 levels. It was not taken in; nothing is lost." "Correct the file and hand it in again. If it was inside a sealed record, enrol the resident again."
        "Un texte JSON a plus de 16 niveaux d'imbrication. Il n'a pas été pris en compte ; rien n'est perdu." "Corrigez le fichier et présentez-le de nouveau. S'il était dans un dossier scellé, enrôlez de nouveau la personne."
        "نص JSON متداخل بأكثر من 16 مستوى. لم يُؤخذ به ولم يضع شيء." "صحّح الملف الرقمي وقدّمه من جديد. وإذا كان داخل ملف مختوم فسجّل الشخص من جديد.";
    JsonTooLarge "json-too-large" Unit Never
        "A JSON text is larger than allowed. It was not taken in; nothing is lost." "Shorten the file and hand it in again. If it was inside a sealed record, enrol the resident again."
        "Un texte JSON est plus grand que permis. Il n'a pas été pris en compte ; rien n'est perdu." "Raccourcissez le fichier et présentez-le de nouveau. S'il était dans un dossier scellé, enrôlez de nouveau la personne."
        "نص JSON أكبر من المسموح. لم يُؤخذ به ولم يضع شيء." "اختصر الملف الرقمي وقدّمه من جديد. وإذا كان داخل ملف مختوم فسجّل الشخص من جديد.";
    JsonDuplicateKey "json-duplicate-key" Unit Never
        "A JSON text has the same key twice, so it could be read in two ways. It was not taken in; nothing is lost." "Keep one of the two and hand it in again. If it was inside a sealed record, enrol the resident again."
        "Un texte JSON contient deux fois la même clé : il pourrait se lire de deux façons. Il n'a pas été pris en compte ; rien n'est perdu." "Gardez l'une des deux et présentez-le de nouveau. S'il était dans un dossier scellé, enrôlez de nouveau la personne."
        "يتكرر الحقل نفسه في نص JSON، فيمكن قراءته بوجهين. لم يُؤخذ به ولم يضع شيء." "أبقِ أحدهما وقدّمه من جديد. وإذا كان داخل ملف مختوم فسجّل الشخص من جديد.";
    JsonNotUtf8 "json-not-utf8" Unit Never
        "A JSON text is not written in UTF-8. It was not taken in; nothing is lost." "Save the file as UTF-8 and hand it in again. If it was inside a sealed record, enrol the resident again."
        "Un texte JSON n'est pas écrit en UTF-8. Il n'a pas été pris en compte ; rien n'est perdu." "Enregistrez le fichier en UTF-8 et présentez-le de nouveau. S'il était dans un dossier scellé, enrôlez de nouveau la personne."
        "نص JSON غير مكتوب بترميز UTF-8. لم يُؤخذ به ولم يضع شيء." "احفظ الملف الرقمي بترميز UTF-8 وقدّمه من جديد. وإذا كان داخل ملف مختوم فسجّل الشخص من جديد.";
    JsonMalformed "json-malformed" Unit Never
        "A text is not valid JSON. It was not taken in; nothing is lost." "Correct the file and hand it in again. If it was inside a sealed record, enrol the resident again."
        "Un texte n'est pas du JSON valable. Il n'a pas été pris en compte ; rien n'est perdu." "Corrigez le fichier et présentez-le de nouveau. S'il était dans un dossier scellé, enrôlez de nouveau la personne."
        "النص ليس JSON صحيحًا. لم يُؤخذ به ولم يضع شيء." "صحّح الملف الرقمي وقدّمه من جديد. وإذا كان داخل ملف مختوم فسجّل الشخص من جديد.";
    ContentInvalid "content-invalid" Unit Never
        "The content of a record lacks something, or has something that its format does not know. It was not taken in; nothing is lost." "Correct what the detail names and hand it in again. If it was inside a sealed record, enrol the resident again."
        "Il manque quelque chose au contenu d'un dossier, ou il contient ce que son format ne connaît pas. Il n'a pas été pris en compte ; rien n'est perdu." "Corrigez ce que le détail indique et présentez-le de nouveau. S'il était dans un dossier scellé, enrôlez de nouveau la personne."
        "ينقص محتوى الملف شيء أو فيه ما لا يعرفه شكله. لم يُؤخذ به ولم يضع شيء." "صحّح ما يذكره التفصيل وقدّمه من جديد. وإذا كان داخل ملف مختوم فسجّل الشخص من جديد.";
    FormInvalid "form-invalid" Person AfterStep
        "The record does not meet its form. The draft, or the sealed record, is kept." "Correct the field that the detail names: `enroll-client draft set`, `enroll-client draft attach`. If the centre refused it, enrol the resident again."
        "Le dossier ne répond pas à son formulaire. Le brouillon, ou le dossier scellé, est conservé." "Corrigez le champ indiqué dans le détail : `enroll-client draft set`, `enroll-client draft attach`. Si le centre l'a refusé, enrôlez de nouveau la personne."
        "الملف لا يستوفي شروط استمارته. المسودة أو الملف المختوم محفوظ." "صحّح الحقل المذكور في التفصيل: `enroll-client draft set` أو `enroll-client draft attach`. إذا رفضه المركز فسجّل الشخص من جديد.";
    ImageInvalid "image-invalid" Person AfterStep
        "An image is damaged, cut off, or of another kind than it says. It was not taken; the draft is kept." "Capture or scan it again, then `enroll-client draft attach`. If the centre refused the record, enrol the resident again."
        "Une image est abîmée, coupée ou d'un autre type qu'annoncé. Elle n'a pas été prise ; le brouillon est conservé." "Refaites la prise ou la numérisation, puis `enroll-client draft attach`. Si le centre a refusé le dossier, enrôlez de nouveau la personne."
        "الصورة تالفة أو مبتورة أو من نوع غير المعلن. لم تُؤخذ، والمسودة محفوظة." "أعد الالتقاط أو المسح ثم شغّل `enroll-client draft attach`. إذا رفض المركز الملف فسجّل الشخص من جديد.";
    ImageTooLarge "image-too-large" Person AfterStep
        "An image has more pixels than allowed. It was not taken; the draft is kept." "Capture or scan it at a lower resolution (at most 10,000 pixels a side and 64 million in all), then `enroll-client draft attach`."
        "Une image a plus de pixels que permis. Elle n'a pas été prise ; le brouillon est conservé." "Refaites-la avec une résolution plus basse (au plus 10 000 pixels par côté et 64 millions en tout), puis `enroll-client draft attach`."
        "عدد نقاط الصورة أكبر من المسموح. لم تُؤخذ، والمسودة محفوظة." "أعدها بدقة أقل (10000 نقطة للضلع و64 مليون نقطة على الأكثر) ثم شغّل `enroll-client draft attach`.";
    HelloFirst "hello-first" Unit Later
        "The unit has to announce itself to the centre before it sends. Nothing is lost." "Run `enroll-client sync` again: it does that first."
        "L'unité doit s'annoncer au centre avant d'envoyer. Rien n'est perdu." "Relancez `enroll-client sync` : il commence par là."
        "على الوحدة أن تعرّف بنفسها لدى المركز قبل الإرسال. لم يضع شيء." "أعد `enroll-client sync`: فهو يبدأ بذلك.";
    TokenInvalid "token-invalid" Unit Later
        "The session with the centre has ended or does not count. What arrived is kept; nothing is lost." "Run `enroll-client sync` again: it opens a new session and goes on where it stopped."
        "La session avec le centre est terminée ou n'est pas valable. Ce qui est arrivé est conservé ; rien n'est perdu." "Relancez `enroll-client sync` : il ouvre une nouvelle session et reprend où il s'est arrêté."
        "انتهت الجلسة مع المركز أو أنها غير صالحة. ما وصل محفوظ ولم يضع شيء." "أعد `enroll-client sync`: يفتح جلسة جديدة ويستأنف من حيث توقف.";
    HelloLate "hello-late" Unit Later
        "A unit's announcement (hello) arrived after a newer one of the same unit. It was noted; nothing is lost." "Run `enroll-client sync` again: it sends a new one."
        "Une annonce (hello) est arrivée après une plus récente de la même unité. Elle a été notée ; rien n'est perdu." "Relancez `enroll-client sync` : il en envoie une nouvelle."
        "وصل تعريف (hello) بعد تعريف أحدث من الوحدة نفسها. دُوّن ولم يضع شيء." "أعد `enroll-client sync`: يرسل تعريفًا جديدًا.";
    VaultRewound "vault-rewound" Unit AfterStep
        "The laptop's data is older than what the centre has already seen: the disk was put back or copied. What the centre has is safe; no more batches may be closed with this key." "Stop enrolling on this unit and call the centre. The laptop goes on under a new key: `enroll-client new-key`, then `sync-server unit admit FILE --new-key --cut-old`. What it has not closed is signed again: `enroll-client resign`."
        "Les données de l'ordinateur sont plus anciennes que ce que le centre a déjà vu : le disque a été restauré ou copié. Ce que le centre possède est sauf ; plus aucun lot ne peut être fermé avec cette clé." "Arrêtez d'enrôler sur cette unité et appelez le centre. L'ordinateur continue avec une nouvelle clé : `enroll-client new-key`, puis `sync-server unit admit FILE --new-key --cut-old`. Ce qui n'est pas fermé est signé de nouveau : `enroll-client resign`."
        "بيانات الحاسوب أقدم مما رآه المركز: استُرجع القرص أو نُسخ. ما عند المركز في أمان، ولا يجوز إغلاق دفعات أخرى بهذا المفتاح." "أوقف التسجيل على هذه الوحدة واتصل بالمركز. ويستمر الحاسوب بمفتاح جديد: `enroll-client new-key` ثم `sync-server unit admit FILE --new-key --cut-old`. وما لم يُغلق يوقَّع من جديد: `enroll-client resign`.";
    NotFound "not-found" Person Never
        "There is nothing under this name or number here. Nothing is lost." "Check the spelling; the lists are, on a unit, in `enroll-client status`; at the centre in `sync-server batch list`, `sync-server case list`, `sync-server unit list` and `sync-server staff list`."
        "Il n'y a rien ici sous ce nom ou ce numéro. Rien n'est perdu." "Vérifiez l'orthographe ; les listes sont, sur une unité, dans `enroll-client status` ; au centre dans `sync-server batch list`, `sync-server case list`, `sync-server unit list` et `sync-server staff list`."
        "لا يوجد شيء هنا بهذا الاسم أو الرقم. لم يضع شيء." "تحقق من الكتابة. القوائم على الوحدة في `enroll-client status`، وفي المركز في `sync-server batch list` و `sync-server case list` و `sync-server unit list` و `sync-server staff list`.";
    MethodNotAllowed "method-not-allowed" Unit Never
        "The server does not answer this kind of request at this address. Nothing is lost." "Check the server's address (`enroll-client doctor`) and that unit and centre run versions that fit."
        "Le serveur ne répond pas à ce genre de requête à cette adresse. Rien n'est perdu." "Vérifiez l'adresse du serveur (`enroll-client doctor`) et que les versions de l'unité et du centre vont ensemble."
        "لا يجيب الخادم عن هذا النوع من الطلبات على هذا العنوان. لم يضع شيء." "تحقق من عنوان الخادم (`enroll-client doctor`) ومن توافق إصدارَي الوحدة والمركز.";
    OffsetWrong "offset-wrong" Unit Later
        "The upload did not go on where the centre's copy ends. What arrived is kept; nothing is lost." "Run `enroll-client sync` again: it asks the centre where to go on."
        "L'envoi n'a pas repris là où finit la copie du centre. Ce qui est arrivé est conservé ; rien n'est perdu." "Relancez `enroll-client sync` : il demande au centre où reprendre."
        "لم يُستأنف الإرسال من حيث تنتهي نسخة المركز. ما وصل محفوظ ولم يضع شيء." "أعد `enroll-client sync`: يسأل المركز من أين يستأنف.";
    UploadLocked "upload-locked" Unit Later
        "Another connection is sending the same batch just now. Nothing is lost." "Wait a moment; `enroll-client sync` tries again by itself."
        "Une autre connexion envoie en ce moment le même lot. Rien n'est perdu." "Attendez un instant ; `enroll-client sync` réessaie tout seul."
        "اتصال آخر يرسل الدفعة نفسها الآن. لم يضع شيء." "انتظر لحظة: يعيد `enroll-client sync` المحاولة تلقائيًا.";
    LengthWrong "length-wrong" Unit Never
        "The length announced for an upload is not the one in the signed manifest. Nothing was taken; the batch stays on the unit." "On the unit run `enroll-client doctor`, then `enroll-client sync`. If this repeats, report this code to the centre."
        "La longueur annoncée pour un envoi n'est pas celle du bordereau signé. Rien n'a été pris ; le lot reste sur l'unité." "Sur l'unité, lancez `enroll-client doctor`, puis `enroll-client sync`. Si cela se répète, signalez ce code au centre."
        "الطول المعلن للإرسال ليس هو المذكور في البيان الموقَّع. لم يُؤخذ شيء، والدفعة باقية في الوحدة." "شغّل على الوحدة `enroll-client doctor` ثم `enroll-client sync`. إذا تكرر ذلك فأبلغ المركز بهذا الرمز.";
    Busy "busy" Centre Later
        "The centre is busy just now. What arrived is kept; nothing is lost." "Nothing to do: `enroll-client sync` tries again by itself after a pause."
        "Le centre est occupé pour le moment. Ce qui est arrivé est conservé ; rien n'est perdu." "Rien à faire : `enroll-client sync` réessaie tout seul après une pause."
        "المركز مشغول الآن. ما وصل محفوظ ولم يضع شيء." "لا شيء يلزم: يعيد `enroll-client sync` المحاولة تلقائيًا بعد مهلة.";
    BodyTooLarge "body-too-large" Unit Never
        "What was sent is larger than the server takes at this address. Nothing was taken; nothing is lost." "Check with `enroll-client doctor` that unit and centre run versions that fit; report this code to the centre."
        "Ce qui a été envoyé est plus grand que ce que le serveur accepte à cette adresse. Rien n'a été pris ; rien n'est perdu." "Vérifiez avec `enroll-client doctor` que les versions de l'unité et du centre vont ensemble ; signalez ce code au centre."
        "ما أُرسل أكبر مما يقبله الخادم على هذا العنوان. لم يُؤخذ شيء ولم يضع شيء." "تحقق بالأمر `enroll-client doctor` من توافق إصدارَي الوحدة والمركز، وأبلغ المركز بهذا الرمز.";
    TooSlow "too-slow" Medium Later
        "The line was too slow and the connection was ended. What arrived is kept; nothing is lost." "Run `enroll-client sync` again, with better reception if you can: it goes on where it stopped."
        "La liaison était trop lente et la connexion a été coupée. Ce qui est arrivé est conservé ; rien n'est perdu." "Relancez `enroll-client sync`, si possible avec une meilleure réception : il reprend où il s'est arrêté."
        "كان الاتصال بطيئًا جدًا فأُنهي. ما وصل محفوظ ولم يضع شيء." "أعد `enroll-client sync`، وبتغطية أفضل إن أمكن: يستأنف من حيث توقف.";
    Pending "pending" Centre Later
        "The centre is not done with this yet. What it has is safe; nothing is lost." "Run `enroll-client sync` again later."
        "Le centre n'a pas encore terminé. Ce qu'il a reçu est sauf ; rien n'est perdu." "Relancez `enroll-client sync` plus tard."
        "لم يُنهِ المركز هذا بعد. ما وصله في أمان ولم يضع شيء." "أعد `enroll-client sync` لاحقًا.";
    ProofInvalid "proof-invalid" Centre Never
        "A proof from the centre does not hold. It is not believed; nothing was deleted and nothing is lost." "Run `enroll-client sync` again. If this repeats, delete nothing and tell the centre; it runs `sync-server fsck`."
        "Une preuve venue du centre ne tient pas. Elle n'est pas crue ; rien n'a été supprimé et rien n'est perdu." "Relancez `enroll-client sync`. Si cela se répète, ne supprimez rien et prévenez le centre, qui lance `sync-server fsck`."
        "إثبات قادم من المركز غير صحيح. لا يُعتدّ به، ولم يُحذف شيء ولم يضع شيء." "أعد `enroll-client sync`. إذا تكرر ذلك فلا تحذف شيئًا وأخبر المركز ليشغّل `sync-server fsck`.";
    LogInconsistent "log-inconsistent" Centre AfterStep
        "The centre's log does not continue the one that this unit has seen: history may have been changed. All records stay on the unit." "Delete nothing and call the centre; it runs `sync-server fsck` and compares `sync-server log checkpoint`."
        "Le journal du centre ne prolonge pas celui que cette unité a vu : l'histoire a pu être modifiée. Tous les dossiers restent sur l'unité." "Ne supprimez rien et appelez le centre, qui lance `sync-server fsck` et compare `sync-server log checkpoint`."
        "سجل العمليات في المركز لا يواصل ما رأته هذه الوحدة: ربما غُيّر التاريخ. كل الملفات باقية في الوحدة." "لا تحذف شيئًا واتصل بالمركز ليشغّل `sync-server fsck` ويقارن `sync-server log checkpoint`.";
    CheckpointInvalid "checkpoint-invalid" Centre Never
        "A checkpoint of the log is damaged or not signed by the log's key. It is not believed; nothing is lost." "Run `enroll-client sync` again. If this repeats, tell the centre; it looks at `sync-server log checkpoint`."
        "Un point de contrôle du journal est abîmé ou n'est pas signé par la clé du journal. Il n'est pas cru ; rien n'est perdu." "Relancez `enroll-client sync`. Si cela se répète, prévenez le centre, qui consulte `sync-server log checkpoint`."
        "نقطة تحقق من سجل العمليات تالفة أو غير موقَّعة بمفتاحه. لا يُعتدّ بها ولم يضع شيء." "أعد `enroll-client sync`. إذا تكرر ذلك فأخبر المركز ليراجع `sync-server log checkpoint`.";
    ReceiptInvalid "receipt-invalid" Centre Never
        "A receipt does not fit this unit's batch. It does not count: the batch stays on the unit." "Run `enroll-client sync` for a new receipt and check it: `enroll-client receipt verify`. If this repeats, tell the centre."
        "Un reçu ne correspond pas au lot de cette unité. Il ne compte pas : le lot reste sur l'unité." "Lancez `enroll-client sync` pour un nouveau reçu et vérifiez-le : `enroll-client receipt verify`. Si cela se répète, prévenez le centre."
        "الوصل لا يطابق دفعة هذه الوحدة. لا يُعتدّ به، والدفعة باقية في الوحدة." "شغّل `enroll-client sync` لأخذ وصل جديد وتحقق منه: `enroll-client receipt verify`. إذا تكرر ذلك فأخبر المركز.";
    OutcomeInvalid "outcome-invalid" Centre Never
        "An outcome does not fit this unit's batch or is not in the log. It does not count: the records stay on the unit." "Run `enroll-client sync` for the newest outcome. If this repeats, tell the centre; it looks at `sync-server batch show`."
        "Un résultat ne correspond pas au lot de cette unité ou n'est pas dans le journal. Il ne compte pas : les dossiers restent sur l'unité." "Lancez `enroll-client sync` pour le dernier résultat. Si cela se répète, prévenez le centre, qui consulte `sync-server batch show`."
        "النتيجة لا تطابق دفعة هذه الوحدة أو ليست في سجل العمليات. لا يُعتدّ بها، والملفات باقية في الوحدة." "شغّل `enroll-client sync` لأخذ أحدث نتيجة. إذا تكرر ذلك فأخبر المركز ليراجع `sync-server batch show`.";
    GuardAhead "guard-ahead" Centre AfterStep
        "The guard holds a newer log head than the archive does: the archive is incomplete or an older copy. The server does not start, so that nothing gets lost." "Put the complete archive back (the newest copy, or the right volume), then run `sync-server fsck`. Do not touch the guard."
        "Le gardien détient une tête de journal plus récente que les archives : elles sont incomplètes ou anciennes. Le serveur ne démarre pas, pour que rien ne se perde." "Remettez les archives complètes (la dernière copie, ou le bon volume), puis lancez `sync-server fsck`. Ne touchez pas au gardien."
        "يحمل الحارس رأسًا أحدث لسجل العمليات مما في الأرشيف: الأرشيف ناقص أو نسخة قديمة. لا يبدأ الخادم حتى لا يضيع شيء." "أعد الأرشيف كاملًا (أحدث نسخة أو القرص الصحيح) ثم شغّل `sync-server fsck`. ولا تلمس الحارس.";
    GuardMissing "guard-missing" Centre AfterStep
        "The guard is not where it should be although a log exists. The server does not start and makes no new log; nothing is lost." "Mount the guard's volume or put its folder in the configuration right, then run `sync-server doctor`."
        "Le gardien n'est pas à sa place alors qu'un journal existe. Le serveur ne démarre pas et ne crée pas de nouveau journal ; rien n'est perdu." "Montez le volume du gardien ou corrigez son dossier dans la configuration, puis lancez `sync-server doctor`."
        "الحارس غير موجود في مكانه مع أن سجل العمليات موجود. لا يبدأ الخادم ولا ينشئ سجلًا جديدًا ولم يضع شيء." "اربط قرص الحارس أو صحّح مجلده في الإعدادات ثم شغّل `sync-server doctor`.";
    GuardConflict "guard-conflict" Centre AfterStep
        "The guard's head is another writer's, contradicts the archive, or is older than the archive because a copy was put back. This process stopped; what was acknowledged is safe." "Put the newest guard back in its place, and make sure that only one server writes to it; then `sync-server doctor`, `sync-server fsck`."
        "Le gardien détient une tête de journal écrite par un autre, contraire aux archives ou plus ancienne qu'elles : il vient d'une copie. Ce processus s'est arrêté ; ce qui a été confirmé est sauf." "Remettez le gardien le plus récent à sa place et assurez-vous qu'un seul serveur y écrit ; puis `sync-server doctor`, `sync-server fsck`."
        "يحمل الحارس رأسًا لسجل العمليات كتبه غير هذا الخادم، أو يناقض الأرشيف، أو هو أقدم منه لأنه أُعيد من نسخة. توقف هذا البرنامج، وما أُكّد استلامه في أمان." "أعد أحدث حارس إلى مكانه وتأكد أن خادمًا واحدًا فقط يكتب فيه، ثم `sync-server doctor` و `sync-server fsck`.";
    ArchiveMissing "archive-missing" Centre AfterStep
        "Something that the log names is not in the archive. The server does not go on without it; the rest is untouched." "Mount the archive's volume. If single files are missing, `sync-server scrub` names them, and each comes back from a copy: `sync-server archive restore FILE`. A unit may still have it: `enroll-client batch save PLACE FOLDER`."
        "Une chose que nomme le journal n'est pas dans les archives. Le serveur ne continue pas sans elle ; le reste est intact." "Montez le volume des archives. S'il manque des fichiers isolés, `sync-server scrub` les nomme, et chacun revient depuis une copie : `sync-server archive restore FILE`. Une unité l'a peut-être encore : `enroll-client batch save PLACE FOLDER`."
        "شيء يذكره سجل العمليات غير موجود في الأرشيف. لا يواصل الخادم من دونه، والباقي سليم." "اربط قرص الأرشيف. وإن نقصت ملفات رقمية مفردة فإن `sync-server scrub` يبيّنها، ويُعاد كل منها من نسخة: `sync-server archive restore FILE`. وقد تكون عند وحدة بعد: `enroll-client batch save PLACE FOLDER`.";
    ArchiveDamaged "archive-damaged" Centre AfterStep
        "Bytes in the archive are not what their digest says: the disk damaged or somebody changed them. They are not used." "Check the disk, then `sync-server scrub`; it names the files. Put each back from a copy: `sync-server archive restore FILE`. A unit may still have it: `enroll-client batch save PLACE FOLDER`."
        "Des octets des archives ne correspondent pas à leur empreinte : disque abîmé ou modification. Ils ne sont pas utilisés." "Vérifiez le disque, puis `sync-server scrub` ; il nomme les fichiers. Remettez chacun depuis une copie : `sync-server archive restore FILE`. Une unité l'a peut-être encore : `enroll-client batch save PLACE FOLDER`."
        "بيانات في الأرشيف لا تطابق بصمتها: أتلفها القرص أو غيّرها أحد. لا تُستعمل." "افحص القرص ثم شغّل `sync-server scrub` فيبيّن الملفات الرقمية. أعد كلًا منها من نسخة: `sync-server archive restore FILE`. وقد تكون عند وحدة بعد: `enroll-client batch save PLACE FOLDER`.";
    DatabaseNewer "database-newer" Centre AfterStep
        "The stored data was written by a newer version of the server. It was not touched; nothing is lost." "Start the newer version of `sync-server` here."
        "Les données enregistrées ont été écrites par une version plus récente du serveur. Elles n'ont pas été touchées ; rien n'est perdu." "Démarrez ici la version plus récente de `sync-server`."
        "كُتبت البيانات المحفوظة بإصدار أحدث من الخادم. لم تُمسّ ولم يضع شيء." "شغّل هنا الإصدار الأحدث من `sync-server`.";
    ClockJump "clock-jump" Centre AfterStep
        "The server's clock is more than a day past the last log entry. Uploads are kept, but no receipts are given until that is cleared; nothing is lost." "Check the server's date and time. If they are wrong, set them right; if they are right and the centre was off, run `sync-server log time confirm`. Then start `sync-server serve` again."
        "L'horloge du serveur dépasse de plus d'un jour la dernière entrée du journal. Les envois sont conservés, mais aucun reçu n'est donné d'ici là ; rien n'est perdu." "Vérifiez la date et l'heure du serveur. Si elles sont fausses, réglez-les ; si elles sont justes et que le centre était arrêté, lancez `sync-server log time confirm`. Puis relancez `sync-server serve`."
        "ساعة الخادم متقدمة بأكثر من يوم عن آخر قيد في سجل العمليات. ما يصل محفوظ، لكن لا تُعطى وصولات حتى يُحلّ ذلك، ولم يضع شيء." "تحقق من تاريخ الخادم وساعته. إن كانا خاطئين فاضبطهما، وإن كانا صحيحين وكان المركز متوقفًا فشغّل `sync-server log time confirm`. ثم أعد تشغيل `sync-server serve`.";
    AlreadyInitialised "already-initialised" Person Never
        "There is data here already. It was not touched; nothing is lost." "Go on with it (`enroll-client status`, `sync-server doctor`), or choose another folder with `--data-dir`."
        "Il y a déjà des données ici. Elles n'ont pas été touchées ; rien n'est perdu." "Continuez avec elles (`enroll-client status`, `sync-server doctor`), ou choisissez un autre dossier avec `--data-dir`."
        "توجد بيانات هنا من قبل. لم تُمسّ ولم يضع شيء." "واصل العمل بها (`enroll-client status` أو `sync-server doctor`) أو اختر مجلدًا آخر بالخيار `--data-dir`.";
    NotInitialised "not-initialised" Person AfterStep
        "This folder has not been set up yet. Nothing is lost." "Set it up with `enroll-client init` or `sync-server init`, or name the right folder with `--data-dir`."
        "Ce dossier n'est pas encore préparé. Rien n'est perdu." "Préparez-le avec `enroll-client init` ou `sync-server init`, ou indiquez le bon dossier avec `--data-dir`."
        "لم يُهيَّأ هذا المجلد بعد. لم يضع شيء." "هيّئه بالأمر `enroll-client init` أو `sync-server init` أو حدّد المجلد الصحيح بالخيار `--data-dir`.";
    SoftwareTooOld "software-too-old" Person AfterStep
        "The roster asks for a newer version of this software before anybody is enrolled. What is finished stays, and is closed and sent as usual." "Install the newer version of `enroll-client` on this laptop, then give the command again. `enroll-client sync` and `enroll-client close` go on working."
        "La liste d'habilitation exige une version plus récente de ce logiciel avant tout enrôlement. Ce qui est terminé reste, et se ferme et s'envoie comme d'habitude." "Installez la version plus récente de `enroll-client` sur ce portable, puis relancez la commande. `enroll-client sync` et `enroll-client close` marchent toujours."
        "تطلب قائمة المخوَّلين إصدارًا أحدث من هذا البرنامج قبل تسجيل أي شخص. ما أُنجز باقٍ ويُغلق ويُرسل كالمعتاد." "ثبّت الإصدار الأحدث من `enroll-client` على هذا الحاسوب ثم أعد الأمر. ويبقى `enroll-client sync` و `enroll-client close` يعملان.";
    LockedElsewhere "locked-elsewhere" Person Later
        "Another window or process is doing this just now. Nothing is lost." "Finish or close the other one, then give the command again. Reading commands such as `enroll-client status` always work."
        "Une autre fenêtre ou un autre processus le fait en ce moment. Rien n'est perdu." "Terminez ou fermez l'autre, puis relancez la commande. Les commandes de lecture comme `enroll-client status` marchent toujours."
        "نافذة أخرى أو برنامج آخر يقوم بهذا الآن. لم يضع شيء." "أنهِ الآخر أو أغلقه ثم أعد الأمر. أوامر القراءة مثل `enroll-client status` تعمل دائمًا.";
    IoFailed "io-failed" Medium AfterStep
        "The disk or the medium did not read or write as asked. What was confirmed before is safe; this step was not done." "Check the disk, cable or stick, then give the command again; `enroll-client doctor` or `sync-server doctor` tells more."
        "Le disque ou le support n'a pas lu ou écrit comme demandé. Ce qui était confirmé est sauf ; cette étape n'est pas faite." "Vérifiez le disque, le câble ou la clé, puis relancez la commande ; `enroll-client doctor` ou `sync-server doctor` en dit plus."
        "لم يقرأ القرص أو الوسيط أو لم يكتب كما طُلب. ما سبق تأكيده في أمان، وهذه الخطوة لم تتم." "افحص القرص أو السلك أو الذاكرة ثم أعد الأمر. تجد المزيد في `enroll-client doctor` أو `sync-server doctor`.";
    DiskFull "disk-full" Medium AfterStep
        "The disk is full or nearly so. What was confirmed before is safe; this step was not done." "Make room: on a unit `enroll-client sync`, then `enroll-client prune`; at the centre give the disk more space. Then give the command again."
        "Le disque est plein ou presque. Ce qui était confirmé est sauf ; cette étape n'est pas faite." "Faites de la place : sur une unité `enroll-client sync`, puis `enroll-client prune` ; au centre, agrandissez le disque. Puis relancez la commande."
        "القرص ممتلئ أو يكاد. ما سبق تأكيده في أمان، وهذه الخطوة لم تتم." "أفرغ مكانًا: على الوحدة `enroll-client sync` ثم `enroll-client prune`، وفي المركز وسّع القرص. ثم أعد الأمر.";
    OutputLost "output-lost" Medium AfterStep
        "What this command printed could not be written where it was sent: the medium is full, or it failed. What the command did is done." "Make room there or choose another place, and ask for it again; `enroll-client status` or `sync-server log checkpoint` tells what was done."
        "Ce que cette commande affichait n'a pas pu être écrit là où c'était envoyé : le support est plein ou défaillant. Ce que la commande a fait est fait." "Faites-y de la place ou choisissez un autre endroit, et redemandez-le ; `enroll-client status` ou `sync-server log checkpoint` dit ce qui a été fait."
        "لم يمكن كتابة ما طبعه هذا الأمر حيث أُرسل: الوسيط ممتلئ أو معطوب. ما فعله الأمر قد فُعل." "أفسح مكانًا هناك أو اختر موضعًا آخر واطلبه من جديد؛ والأمر `enroll-client status` أو `sync-server log checkpoint` يبيّن ما فُعل.";
    DiskReadOnly "disk-read-only" Medium AfterStep
        "The disk can only be read just now. What was confirmed before is safe; this step was not done. Reading commands go on working." "Look at the disk: a system makes it read-only after an error. Mount it for writing again, then give the command again; `enroll-client doctor` or `sync-server doctor` tells more."
        "Le disque ne peut qu'être lu en ce moment. Ce qui était confirmé est sauf ; cette étape n'est pas faite. Les commandes de lecture marchent." "Examinez le disque : un système le met en lecture seule après une erreur. Remontez-le en écriture, puis relancez la commande ; `enroll-client doctor` ou `sync-server doctor` en dit plus."
        "لا يمكن الآن إلا قراءة القرص. ما سبق تأكيده في أمان، وهذه الخطوة لم تتم. أوامر القراءة ما زالت تعمل." "افحص القرص: يجعله النظام للقراءة فقط بعد خطأ. اربطه للكتابة من جديد ثم أعد الأمر. تجد المزيد في `enroll-client doctor` أو `sync-server doctor`.";
    DatabaseDamaged "database-damaged" Centre AfterStep
        "The centre's database is damaged. Nothing serves from it; archive and guard hold everything, so nothing that was acknowledged is lost." "Run `sync-server rebuild`: it makes the database again and sets the damaged one aside. Then `sync-server fsck`."
        "La base de données du centre est abîmée. Rien n'est servi à partir d'elle ; les archives et le gardien contiennent tout, rien de ce qui a été confirmé n'est perdu." "Lancez `sync-server rebuild` : la base est refaite et l'ancienne mise de côté. Puis `sync-server fsck`."
        "قاعدة بيانات المركز تالفة. لا يُقدَّم منها شيء، والأرشيف والحارس فيهما كل شيء، فلم يضع شيء مما أُكّد استلامه." "شغّل `sync-server rebuild`: يعيد صنع القاعدة ويضع التالفة جانبًا. ثم `sync-server fsck`.";
    DatabaseFailed "database-failed" Medium AfterStep
        "The database did not take or give what was asked. What was confirmed before is safe; this step was not done." "Give the command again. If it stays so: on a unit `enroll-client doctor`; at the centre `sync-server doctor`, then `sync-server rebuild`."
        "La base de données n'a pas pris ou rendu ce qui était demandé. Ce qui était confirmé est sauf ; cette étape n'est pas faite." "Relancez la commande. Si cela dure : sur une unité `enroll-client doctor` ; au centre `sync-server doctor`, puis `sync-server rebuild`."
        "لم تأخذ قاعدة البيانات أو لم تُعطِ ما طُلب. ما سبق تأكيده في أمان، وهذه الخطوة لم تتم." "أعد الأمر. إذا استمر ذلك: على الوحدة `enroll-client doctor`، وفي المركز `sync-server doctor` ثم `sync-server rebuild`.";
    MachineSecretLost "machine-secret-lost" Person AfterStep
        "The machine secret is not in its place, or is another vault's: without it nothing is unlocked, signed or sent. No finished record is lost." "Put the file back from its copy, or name its place with `--machine-secret`. If it is lost for good: `enroll-client new-key --machine-secret-lost` says what is lost, and goes on under new keys."
        "Le secret de la machine n'est pas à sa place, ou est celui d'un autre coffre : sans lui rien n'est ouvert, signé ni envoyé. Aucun dossier terminé n'est perdu." "Remettez le fichier depuis sa copie, ou indiquez sa place avec `--machine-secret`. S'il est perdu pour de bon : `enroll-client new-key --machine-secret-lost` dit ce qui est perdu et continue avec de nouvelles clés."
        "سر الجهاز غير موجود في مكانه أو هو لخزنة أخرى: من دونه لا يُفتح شيء ولا يُوقَّع ولا يُرسل. لم يضع أي ملف منجز." "أعد الملف من نسخته أو اذكر مكانه بالخيار `--machine-secret`. إذا ضاع نهائيًا: `enroll-client new-key --machine-secret-lost` يبيّن ما ضاع ويتابع بمفاتيح جديدة.";
    WrongPassphrase "wrong-passphrase" Person AfterStep
        "The passphrase is not the right one. Nothing was changed; nothing is lost." "Type it again: look at the keyboard's language (Arabic or Latin) and at Caps Lock. If it is forgotten, an agent or supervisor gets new keys: `enroll-client agent add NAME --new-key`."
        "La phrase secrète n'est pas la bonne. Rien n'a été changé ; rien n'est perdu." "Tapez-la de nouveau : regardez la langue du clavier (arabe ou latin) et le verrouillage des majuscules. Si elle est oubliée, l'agent ou le superviseur reçoit de nouvelles clés : `enroll-client agent add NAME --new-key`."
        "عبارة السر غير صحيحة. لم يتغير شيء ولم يضع شيء." "اكتبها من جديد، وانتبه إلى لغة لوحة المفاتيح (عربية أو لاتينية) وإلى زر الأحرف الكبيرة. وإذا نُسيت حصل الموظف أو المشرف على مفاتيح جديدة: `enroll-client agent add NAME --new-key`.";
    SessionNeeded "session-needed" Person AfterStep
        "An agent or supervisor has to unlock the unit for this. Nothing is lost." "Run `enroll-client session`, or give the command again with `--as NAME` and type the passphrase."
        "Un agent ou un superviseur doit déverrouiller l'unité pour cela. Rien n'est perdu." "Lancez `enroll-client session`, ou relancez la commande avec `--as NAME` et tapez la phrase secrète."
        "يجب أن يفتح موظف أو مشرف الوحدة للقيام بهذا. لم يضع شيء." "شغّل `enroll-client session` أو أعد الأمر مع `--as NAME` واكتب عبارة السر.";
    VaultNewer "vault-newer" Unit AfterStep
        "The vault was written by a newer version of the software. It was not touched; nothing is lost." "Install the newer version of `enroll-client` on this laptop."
        "Le coffre a été écrit par une version plus récente du logiciel. Il n'a pas été touché ; rien n'est perdu." "Installez la version plus récente de `enroll-client` sur cet ordinateur."
        "كُتبت الخزنة بإصدار أحدث من البرنامج. لم تُمسّ ولم يضع شيء." "ثبّت الإصدار الأحدث من `enroll-client` على هذا الحاسوب.";
    VaultDamaged "vault-damaged" Unit AfterStep
        "Something in the vault is damaged. It was not touched further; what the centre has given a receipt for is safe there." "Stop enrolling, leave the laptop as it is, run `enroll-client doctor` and call the centre with its result."
        "Quelque chose est abîmé dans le coffre. Il n'a plus été touché ; ce dont le centre a donné reçu est sauf là-bas." "Arrêtez d'enrôler, laissez l'ordinateur en l'état, lancez `enroll-client doctor` et appelez le centre avec le résultat."
        "في الخزنة شيء تالف. لم تُمسّ بعد ذلك، وما أعطى المركز وصلًا عنه في أمان عنده." "أوقف التسجيل واترك الحاسوب كما هو وشغّل `enroll-client doctor` واتصل بالمركز وأعطه النتيجة.";
    KeyFileDamaged "key-file-damaged" Unit AfterStep
        "The file of erasable keys is damaged. Open drafts and review cards may not open; finished sealed records are safe." "Put the file back if there is a copy; `enroll-client doctor` counts what does not open. Else discard such drafts (`enroll-client draft discard`), look at the papers, then `enroll-client close` and `enroll-client sync`."
        "Le fichier des clés effaçables est abîmé. Brouillons ouverts et fiches de revue peuvent ne plus s'ouvrir ; les dossiers terminés et scellés sont saufs." "Remettez le fichier s'il en existe une copie ; `enroll-client doctor` compte ce qui ne s'ouvre pas. Sinon, abandonnez ces brouillons (`enroll-client draft discard`), regardez les papiers, puis `enroll-client close` et `enroll-client sync`."
        "ملف المفاتيح القابلة للمحو تالف. قد لا تُفتح المسودات وبطاقات المراجعة، أما الملفات المكتملة المختومة ففي أمان." "أعد الملف إن كانت له نسخة؛ ويعدّ `enroll-client doctor` ما لا يُفتح. وإلا فتخلَّ عن تلك المسودات (`enroll-client draft discard`) وانظر في الأوراق ثم `enroll-client close` و `enroll-client sync`.";
    DraftUnknown "draft-unknown" Person AfterStep
        "There is no such draft, or it belongs to another agent. Nothing is lost." "See your drafts: `enroll-client draft list`."
        "Ce brouillon n'existe pas, ou il appartient à un autre agent. Rien n'est perdu." "Voyez vos brouillons : `enroll-client draft list`."
        "لا توجد مسودة كهذه أو أنها لموظف آخر. لم يضع شيء." "اعرض مسوداتك: `enroll-client draft list`.";
    DraftIncomplete "draft-incomplete" Person AfterStep
        "The draft still lacks something. It is kept as it is." "See what is missing with `enroll-client draft show`, add it with `enroll-client draft set` or `enroll-client draft attach`, then `enroll-client finish`."
        "Il manque encore quelque chose au brouillon. Il est conservé tel quel." "Voyez ce qui manque avec `enroll-client draft show`, ajoutez-le avec `enroll-client draft set` ou `enroll-client draft attach`, puis `enroll-client finish`."
        "ما زال ينقص المسودة شيء. هي محفوظة كما هي." "اعرض الناقص بالأمر `enroll-client draft show` وأضفه بالأمر `enroll-client draft set` أو `enroll-client draft attach` ثم شغّل `enroll-client finish`.";
    FieldUnknown "field-unknown" Person AfterStep
        "The form has no such field or position. The draft is kept as it was." "See the fields of the form: `enroll-client draft show`."
        "Le formulaire n'a pas ce champ ni cette position. Le brouillon est conservé tel quel." "Voyez les champs du formulaire : `enroll-client draft show`."
        "ليس في الاستمارة حقل أو موضع كهذا. المسودة محفوظة كما كانت." "اعرض حقول الاستمارة: `enroll-client draft show`.";
    FieldInvalid "field-invalid" Person AfterStep
        "A field's value is not written as the form asks. The draft is kept as it was." "Correct it: `enroll-client draft set`. Dates are written 1980-05-17, or 1980-05, or 1980."
        "La valeur d'un champ n'est pas écrite comme le demande le formulaire. Le brouillon est conservé tel quel." "Corrigez-la : `enroll-client draft set`. Les dates s'écrivent 1980-05-17, ou 1980-05, ou 1980."
        "قيمة الحقل غير مكتوبة كما تطلب الاستمارة. المسودة محفوظة كما كانت." "صحّحها: `enroll-client draft set`. يُكتب التاريخ هكذا: 1980-05-17 أو 1980-05 أو 1980.";
    ExceptionNotAllowed "exception-not-allowed" Person AfterStep
        "The form does not allow this exception here. The draft is kept." "Capture what is missing, or give a reason that the form allows there (missing, injured, illness, child-under-12): `enroll-client draft except`."
        "Le formulaire ne permet pas cette exception ici. Le brouillon est conservé." "Prenez ce qui manque, ou donnez un motif que le formulaire permet ici (doigt absent, blessure, maladie, enfant de moins de 12 ans) : `enroll-client draft except`."
        "لا تسمح الاستمارة بهذا الاستثناء هنا. المسودة محفوظة." "التقط الناقص أو اذكر سببًا تسمح به الاستمارة هنا (إصبع مفقود، إصابة، مرض، طفل دون 12 سنة): `enroll-client draft except`.";
    NotConfirmed "not-confirmed" Person AfterStep
        "It was not confirmed, so it was not done. Nothing is lost; everything is as it was." "Give the command again and confirm; or add `--yes`, for a resident only when they have agreed."
        "Ce n'était pas confirmé, donc ce n'est pas fait. Rien n'est perdu ; tout est comme avant." "Relancez la commande et confirmez ; ou ajoutez `--yes`, pour une personne enrôlée seulement quand elle a donné son accord."
        "لم يُؤكَّد الأمر فلم يُنفَّذ. لم يضع شيء، وكل شيء كما كان." "أعد الأمر وأكّد، أو أضف `--yes`، ولا يضاف عن شخص يُسجَّل إلا بعد موافقته.";
    NothingToDo "nothing-to-do" Person Never
        "There was nothing to do. Nothing is lost." "See where everything stands: `enroll-client status` or `sync-server doctor`."
        "Il n'y avait rien à faire. Rien n'est perdu." "Voyez où tout en est : `enroll-client status` ou `sync-server doctor`."
        "لم يكن هناك ما يُفعل. لم يضع شيء." "اعرض حالة كل شيء: `enroll-client status` أو `sync-server doctor`.";
    ReviewNeeded "review-needed" Person AfterStep
        "The roster demands that a supervisor reviews the day before it is closed. Nothing is lost." "The supervisor runs `enroll-client review list`, then `enroll-client close`. If none is here: `enroll-client close --unreviewed`; the records then wait at the centre."
        "La liste d'habilitation exige qu'un superviseur revoie la journée avant la fermeture. Rien n'est perdu." "Le superviseur lance `enroll-client review list`, puis `enroll-client close`. S'il n'y en a pas : `enroll-client close --unreviewed` ; les dossiers attendront alors au centre."
        "تشترط قائمة المخوَّلين أن يراجع مشرف عمل اليوم قبل إغلاقه. لم يضع شيء." "يشغّل المشرف `enroll-client review list` ثم `enroll-client close`. إذا لم يوجد مشرف: `enroll-client close --unreviewed`، وتنتظر الملفات عندئذ في المركز.";
    SelfApproval "self-approval" Person AfterStep
        "A supervisor may not approve records that they enrolled themselves on this unit. These records are not closed yet; nothing is lost." "Have another supervisor run `enroll-client close`, or close with `enroll-client close --unreviewed`."
        "Un superviseur ne peut approuver des dossiers qu'il a enrôlés lui-même sur cette unité. Ces dossiers ne sont pas encore fermés ; rien n'est perdu." "Faites lancer `enroll-client close` par un autre superviseur, ou fermez avec `enroll-client close --unreviewed`."
        "لا يجوز لمشرف أن يعتمد ملفات سجّلها بنفسه على هذه الوحدة. لم تُغلق هذه الملفات بعد ولم يضع شيء." "ليشغّل مشرف آخر `enroll-client close` أو أغلق بالأمر `enroll-client close --unreviewed`.";
    ReasonUnknown "reason-unknown" Person AfterStep
        "This reason is not one of the agreed ones. Nothing was changed." "To withdraw, choose captured-twice, wrong-person, consent-withdrawn, bad-capture or other: `enroll-client review withdraw --help`."
        "Ce motif ne fait pas partie des motifs convenus. Rien n'a été changé." "Pour retirer, choisissez captured-twice, wrong-person, consent-withdrawn, bad-capture ou other : `enroll-client review withdraw --help`."
        "هذا السبب ليس من الأسباب المتفق عليها. لم يتغير شيء." "للسحب اختر captured-twice أو wrong-person أو consent-withdrawn أو bad-capture أو other: `enroll-client review withdraw --help`.";
    RecordUnknown "record-unknown" Person AfterStep
        "There is no such record here, or it is already in a closed batch. Nothing was changed." "See the records: `enroll-client status`, `enroll-client review list`."
        "Ce dossier n'existe pas ici, ou il est déjà dans un lot fermé. Rien n'a été changé." "Voyez les dossiers : `enroll-client status`, `enroll-client review list`."
        "لا يوجد هنا ملف كهذا أو أنه في دفعة مغلقة. لم يتغير شيء." "اعرض الملفات: `enroll-client status` و `enroll-client review list`.";
    UnitNotAdmitted "unit-not-admitted" Centre AfterStep
        "The centre has not admitted this unit yet. Nothing is lost." "Give `unit.request` to the centre (`sync-server unit admit FILE`), then run `enroll-client sync` or `enroll-client roster import FILE`."
        "Le centre n'a pas encore admis cette unité. Rien n'est perdu." "Remettez `unit.request` au centre (`sync-server unit admit FILE`), puis lancez `enroll-client sync` ou `enroll-client roster import FILE`."
        "لم يقبل المركز هذه الوحدة بعد. لم يضع شيء." "سلّم `unit.request` إلى المركز (`sync-server unit admit FILE`) ثم شغّل `enroll-client sync` أو `enroll-client roster import FILE`.";
    AgentNotAdmitted "agent-not-admitted" Centre AfterStep
        "The roster that this unit holds does not list this key of the agent or supervisor. Drafts are kept; nothing is lost." "Run `enroll-client sync`: the centre may have admitted it. If not, give the person's `.request` file to the centre (`sync-server agent admit FILE` or `sync-server supervisor admit FILE`), and sync again."
        "La liste d'habilitation de cette unité ne contient pas cette clé de l'agent ou du superviseur. Les brouillons sont conservés ; rien n'est perdu." "Lancez `enroll-client sync` : le centre l'a peut-être admise. Sinon, remettez le fichier `.request` au centre (`sync-server agent admit FILE` ou `sync-server supervisor admit FILE`), puis relancez la synchronisation."
        "لا تتضمن قائمة المخوَّلين في هذه الوحدة هذا المفتاح للموظف أو المشرف. المسودات محفوظة ولم يضع شيء." "شغّل `enroll-client sync` فلعل المركز قبله. وإلا فسلّم ملف `.request` إلى المركز (`sync-server agent admit FILE` أو `sync-server supervisor admit FILE`) ثم زامن من جديد.";
    EpochNeeded "epoch-needed" Centre AfterStep
        "This unit needs a new key before it may close more batches. Finished records are safe on it." "Make the key with `enroll-client new-key`; the centre admits it: `sync-server unit admit FILE`. Then run `enroll-client sync` and `enroll-client close`."
        "Cette unité a besoin d'une nouvelle clé avant de fermer d'autres lots. Les dossiers terminés y sont en sécurité." "Créez la clé avec `enroll-client new-key` ; le centre l'admet : `sync-server unit admit FILE`. Puis lancez `enroll-client sync` et `enroll-client close`."
        "تحتاج هذه الوحدة إلى مفتاح جديد قبل إغلاق دفعات أخرى. الملفات المكتملة في أمان فيها." "أنشئ المفتاح بالأمر `enroll-client new-key` ويقبله المركز: `sync-server unit admit FILE`. ثم شغّل `enroll-client sync` و `enroll-client close`.";
    CbeffInvalid "cbeff-invalid" Person AfterStep
        "The biometric file (CBEFF XML) is damaged or not of the expected kind. Nothing of it was taken; the draft is kept." "Export it again from the capture software, then `enroll-client draft import-cbeff DRAFT FILE`. The detail says which part is wrong."
        "Le fichier biométrique (CBEFF XML) est abîmé ou n'est pas du type attendu. Rien n'en a été pris ; le brouillon est conservé." "Exportez-le de nouveau depuis le logiciel de prise, puis `enroll-client draft import-cbeff DRAFT FILE`. Le détail dit quelle partie est fausse."
        "الملف البيومتري (CBEFF XML) تالف أو ليس من النوع المنتظر. لم يُؤخذ منه شيء، والمسودة محفوظة." "صدّره من جديد من برنامج الالتقاط ثم شغّل `enroll-client draft import-cbeff DRAFT FILE`. يبيّن التفصيل الجزء الخاطئ.";
    InputUnreadable "input-unreadable" Person AfterStep
        "A file or folder that was given cannot be read. Nothing of it was taken; nothing is lost." "Check the name, that the medium is plugged in, and that you may read it. Then give the command again."
        "Un fichier ou dossier indiqué ne peut être lu. Rien n'en a été pris ; rien n'est perdu." "Vérifiez le nom, que le support est branché et que vous avez le droit de le lire. Puis relancez la commande."
        "تعذرت قراءة الملف الرقمي أو المجلد المعطى. لم يُؤخذ منه شيء ولم يضع شيء." "تحقق من الاسم ومن توصيل الوسيط ومن حقك في القراءة ثم أعد الأمر.";
    ServerUnreachable "server-unreachable" Medium Later
        "The centre cannot be reached just now. Everything is safe on the unit; enrolment goes on without a network." "Run `enroll-client sync` when there is a network again."
        "Le centre n'est pas joignable pour le moment. Tout est en sécurité sur l'unité ; l'enrôlement continue sans réseau." "Lancez `enroll-client sync` quand le réseau sera revenu."
        "تعذر الوصول إلى المركز الآن. كل شيء في أمان على الوحدة، والتسجيل مستمر دون شبكة." "شغّل `enroll-client sync` عند عودة الشبكة.";
    ServerUntrusted "server-untrusted" Centre AfterStep
        "The server could not prove that it is the centre. Nothing was sent; everything stays on the unit." "Check the laptop's date; `enroll-client doctor` tells more. If the date is right, ask the centre for its certificate, then `enroll-client unit set --ca FILE`."
        "Le serveur n'a pas pu prouver qu'il est le centre. Rien n'a été envoyé ; tout reste sur l'unité." "Vérifiez la date de l'ordinateur ; `enroll-client doctor` en dit plus. Si la date est juste, demandez au centre son certificat, puis `enroll-client unit set --ca FILE`."
        "لم يستطع الخادم أن يثبت أنه المركز. لم يُرسل شيء، وكل شيء باقٍ في الوحدة." "تحقق من تاريخ الحاسوب. تجد المزيد في `enroll-client doctor`. إذا كان التاريخ صحيحًا فاطلب من المركز شهادته ثم `enroll-client unit set --ca FILE`.";
    ClockWrong "clock-wrong" Unit AfterStep
        "The laptop's clock cannot be right. Records are safe; their order does not depend on the clock." "Set the date and time of the laptop, then give the command again; `enroll-client doctor` shows the last time known from the centre."
        "L'horloge de l'ordinateur ne peut être juste. Les dossiers sont en sécurité ; leur ordre ne dépend pas de l'horloge." "Réglez la date et l'heure de l'ordinateur, puis relancez la commande ; `enroll-client doctor` montre la dernière heure connue du centre."
        "ساعة الحاسوب لا يمكن أن تكون صحيحة. الملفات في أمان، وترتيبها لا يعتمد على الساعة." "اضبط تاريخ الحاسوب وساعته ثم أعد الأمر. يبيّن `enroll-client doctor` آخر وقت معروف من المركز.";
    RefusedByCentre "refused-by-centre" Unit AfterStep
        "The centre refused what was sent. It stays on the unit; nothing is lost." "See the reason with `enroll-client status` and do what it says; if that is not clear, call the centre with the code."
        "Le centre a refusé ce qui a été envoyé. Cela reste sur l'unité ; rien n'est perdu." "Voyez la raison avec `enroll-client status` et suivez-la ; si ce n'est pas clair, appelez le centre avec le code."
        "رفض المركز ما أُرسل. هو باقٍ في الوحدة ولم يضع شيء." "اعرض السبب بالأمر `enroll-client status` واعمل به. إذا لم يتضح فاتصل بالمركز واذكر الرمز.";
    SlipUnknown "slip-unknown" Person AfterStep
        "No record here has this slip code, or it was typed wrongly. Nothing is lost." "Type the code again as printed: `enroll-client status SLIP`. Each unit knows only its own slips."
        "Aucun dossier ici n'a ce code de fiche, ou il est mal tapé. Rien n'est perdu." "Tapez de nouveau le code imprimé : `enroll-client status SLIP`. Les autres unités ne connaissent que leurs propres fiches."
        "لا يوجد هنا ملف بهذا الرمز على القسيمة أو كُتب الرمز خطأ. لم يضع شيء." "اكتب الرمز من جديد كما هو مطبوع: `enroll-client status SLIP`. كل وحدة لا تعرف إلا قسائمها.";
    Usage "usage" Person AfterStep
        "The command was not given as it must be. Nothing was done; nothing is lost." "Add `--help` to the command to see how it is written."
        "La commande n'a pas été donnée comme il faut. Rien n'a été fait ; rien n'est perdu." "Ajoutez `--help` à la commande pour voir comment elle s'écrit."
        "لم يُكتب الأمر كما يجب. لم يُنفَّذ شيء ولم يضع شيء." "أضف `--help` إلى الأمر لترى كيف يُكتب.";
    ConfigInvalid "config-invalid" Person AfterStep
        "The configuration has something that is wrong or not known. Nothing was started; nothing is lost." "Correct the line that the detail names in the file given by `--config`, then start again."
        "La configuration contient une chose fausse ou inconnue. Rien n'a été démarré ; rien n'est perdu." "Corrigez la ligne indiquée dans le détail, dans le fichier donné par `--config`, puis relancez."
        "في الإعدادات شيء خاطئ أو غير معروف. لم يبدأ شيء ولم يضع شيء." "صحّح السطر المذكور في التفصيل في الملف الرقمي المعطى بالخيار `--config` ثم أعد التشغيل.";
    TlsUnusable "tls-unusable" Person AfterStep
        "The certificate or the key with which the server answers is not there, or the two do not fit. Nothing is served; nothing is lost." "Put both files back from the copy of the folder `keys`, then start `sync-server serve`. If there is no copy, `sync-server tls new` makes new ones, and each unit is given the certificate: `enroll-client unit set --ca FILE`."
        "Le certificat ou la clé avec lesquels le serveur répond n'est pas là, ou les deux ne vont pas ensemble. Rien n'est servi ; rien n'est perdu." "Remettez les deux fichiers depuis la copie du dossier `keys`, puis lancez `sync-server serve`. S'il n'y a pas de copie, `sync-server tls new` en crée de nouveaux, et chaque unité reçoit le certificat : `enroll-client unit set --ca FILE`."
        "شهادة الخادم أو مفتاحه غير موجود، أو لا يتوافقان. لا يُقدَّم شيء ولم يضع شيء." "أعد الملفين من نسخة المجلد `keys` ثم شغّل `sync-server serve`. وإن لم توجد نسخة فالأمر `sync-server tls new` يصنع جديدين، وتُعطى كل وحدة الشهادة: `enroll-client unit set --ca FILE`.";
    FormFileInvalid "form-file-invalid" Person AfterStep
        "The form's file contradicts itself or has a word that is not known. It was not published; nothing is changed or lost." "Correct the file where the detail says, then run `sync-server roster publish --form FILE`."
        "Le fichier du formulaire se contredit ou contient un mot inconnu. Il n'a pas été publié ; rien n'est changé ni perdu." "Corrigez le fichier à l'endroit indiqué dans le détail, puis lancez `sync-server roster publish --form FILE`."
        "ملف الاستمارة متناقض أو فيه كلمة غير معروفة. لم يُنشر ولم يتغير شيء ولم يضع شيء." "صحّح الملف في الموضع المذكور في التفصيل ثم شغّل `sync-server roster publish --form FILE`.";
    RegistryWrong "registry-wrong" Centre AfterStep
        "The registry is not what archive and log say it must be. Archive and log are whole; no record is lost." "Stop `sync-server serve` and run `sync-server rebuild`; keep the old database for the inquiry."
        "Le registre n'est pas ce que disent l'archive et le journal. L'archive et le journal sont entiers ; aucun dossier n'est perdu." "Arrêtez `sync-server serve` et lancez `sync-server rebuild` ; gardez l'ancienne base pour l'enquête."
        "السجل ليس كما يقتضي الأرشيف واليومية. الأرشيف واليومية سليمان ولم يضع أي ملف." "أوقف `sync-server serve` وشغّل `sync-server rebuild` واحتفظ بقاعدة البيانات القديمة للتحقيق.";
    ResidentUnknown "resident-unknown" Person AfterStep
        "The registry has nobody, and no case, under what was asked for. Nothing is lost." "Check the reference, the number or the spelling; `sync-server record trace ID` follows a record, and `sync-server case history CASE` a case that was decided."
        "Le registre n'a personne, ni aucun cas, sous ce qui a été demandé. Rien n'est perdu." "Vérifiez la référence, le numéro ou l'orthographe ; `sync-server record trace ID` suit un dossier, et `sync-server case history CASE` un cas déjà décidé."
        "لا يوجد في السجل أحد ولا حالة تحت ما طُلب. لم يضع شيء." "تحقق من المرجع أو الرقم أو الكتابة؛ الأمر `sync-server record trace ID` يتتبع الملف، و `sync-server case history CASE` يتتبع حالة سبق البت فيها.";
    OutsideWindow "outside-window" Person Later
        "It is not the time of day at which this unit may send. Nothing was sent; nothing is lost." "Wait for the window to open, or give `enroll-client sync` another `--window`."
        "Ce n'est pas l'heure à laquelle cette unité peut envoyer. Rien n'a été envoyé ; rien n'est perdu." "Attendez l'ouverture de la plage, ou donnez une autre `--window` à `enroll-client sync`."
        "ليس هذا وقت الإرسال المسموح لهذه الوحدة. لم يُرسل شيء ولم يضع شيء." "انتظر بدء المدة المحددة أو أعطِ `enroll-client sync` مدة أخرى بالخيار `--window`.";
    UploadProtocol "upload-protocol" Unit Never
        "An upload did not say what the protocol demands (tus 1.0: Tus-Resumable, Upload-Offset, Content-Type). Nothing of it was taken; nothing is lost." "Send with `enroll-client sync`, or with a client that speaks tus 1.0."
        "Un envoi n'a pas dit ce que le protocole exige (tus 1.0 : Tus-Resumable, Upload-Offset, Content-Type). Rien n'en a été pris ; rien n'est perdu." "Envoyez avec `enroll-client sync`, ou avec un client qui parle tus 1.0."
        "إرسال لم يذكر ما يفرضه البروتوكول (tus 1.0: Tus-Resumable و Upload-Offset و Content-Type). لم يؤخذ منه شيء ولم يضع شيء." "أرسل بالأمر `enroll-client sync` أو بعميل يتكلم tus 1.0.";
    DatabaseDiffers "database-differs" Centre AfterStep
        "The database does not say what the archive and the guard say. They are the truth; nothing is lost." "Make the database again with `sync-server rebuild`, then run `sync-server fsck`."
        "La base de données ne dit pas ce que disent l'archive et le garde. Ils font foi ; rien n'est perdu." "Refaites la base avec `sync-server rebuild`, puis lancez `sync-server fsck`."
        "قاعدة البيانات لا تطابق الأرشيف والحارس. هما المرجع؛ لم يضع شيء." "أعد بناء القاعدة بالأمر `sync-server rebuild` ثم شغّل `sync-server fsck`.";
    DatabaseBehind "database-behind" Centre AfterStep
        "The database has not taken in yet all that is logged, as after a power cut, from an older copy, or a moment after an entry. Archive and guard have all of it; nothing is lost." "A running `sync-server serve` takes in the rest within seconds. If none runs, start it; then run `sync-server fsck`."
        "La base de données n'a pas encore repris tout ce qui est journalisé, comme après une coupure de courant, depuis une copie plus ancienne ou juste après une entrée. L'archive et le garde ont tout ; rien n'est perdu." "Un `sync-server serve` en marche reprend le reste en quelques secondes. S'il n'y en a pas, démarrez-le ; puis lancez `sync-server fsck`."
        "لم تأخذ قاعدة البيانات بعد كل ما في اليومية، كما يحدث بعد انقطاع التيار أو من نسخة أقدم أو عقب قيد جديد مباشرة. كل شيء في الأرشيف والحارس؛ لم يضع شيء." "الخادم `sync-server serve` العامل يأخذ الباقي خلال ثوانٍ. إن لم يكن عاملًا فشغّله، ثم شغّل `sync-server fsck`.";
    ApproverRevoked "approver-revoked" Centre AfterStep
        "The key of the supervisor who signed for this batch had ended before it was logged. The batch is kept and has its receipt; its records are held." "An adjudicator looks at it with `sync-server batch show` and decides with `sync-server batch decide`. The unit has nothing to do."
        "La clé du superviseur qui a signé pour ce lot avait pris fin avant sa journalisation. Le lot est conservé et a son reçu ; ses dossiers sont en attente." "Un arbitre l'examine avec `sync-server batch show` et décide avec `sync-server batch decide`. L'unité n'a rien à faire."
        "انتهى مفتاح المشرف الذي وقّع لهذه الدفعة قبل تسجيلها في اليومية. الدفعة محفوظة ولها وصل، وملفاتها معلَّقة." "ينظر فيها محكِّم بالأمر `sync-server batch show` ويقرر بالأمر `sync-server batch decide`. لا شيء يلزم على الوحدة.";
    RosterOld "roster-old" Unit AfterStep
        "This was done under a roster that was replaced long before, and the later one forbids it. It is kept; nothing is lost." "An adjudicator decides with `sync-server case decide` or `sync-server batch decide`. On the unit take the newest roster: `enroll-client sync`."
        "Ceci a été fait sous une liste d'habilitation remplacée depuis longtemps, et la suivante l'interdit. C'est conservé ; rien n'est perdu." "Un arbitre décide avec `sync-server case decide` ou `sync-server batch decide`. Sur l'unité, prenez la dernière liste : `enroll-client sync`."
        "جرى هذا وفق قائمة مخوَّلين استُبدلت منذ مدة طويلة، والقائمة اللاحقة تمنعه. هو محفوظ ولم يضع شيء." "يقرر محكِّم بالأمر `sync-server case decide` أو `sync-server batch decide`. وعلى الوحدة خذ أحدث قائمة: `enroll-client sync`.";
    TargetUnknown "target-unknown" Centre AfterStep
        "Nobody, or more than one, stands under what this record renews, replaces or corrects. It is held; nothing is lost." "An adjudicator looks at it with `sync-server case show` and decides with `sync-server case decide`. The unit has nothing to do."
        "Personne, ou plus d'une personne, ne figure sous ce que ce dossier renouvelle, remplace ou corrige. Il est en attente ; rien n'est perdu." "Un arbitre l'examine avec `sync-server case show` et décide avec `sync-server case decide`. L'unité n'a rien à faire."
        "لا أحد، أو أكثر من شخص، تحت ما يجدده هذا الملف أو يعوضه أو يصححه. هو معلَّق ولم يضع شيء." "ينظر فيه محكِّم بالأمر `sync-server case show` ويقرر بالأمر `sync-server case decide`. لا شيء يلزم على الوحدة.";
    TargetGone "target-gone" Centre AfterStep
        "The record on which this one rested was taken out of the registry. This one is held; nothing is lost." "An adjudicator looks at it with `sync-server case show` and decides with `sync-server case decide`. The unit has nothing to do."
        "Le dossier sur lequel celui-ci reposait a été retiré du registre. Celui-ci est en attente ; rien n'est perdu." "Un arbitre l'examine avec `sync-server case show` et décide avec `sync-server case decide`. L'unité n'a rien à faire."
        "أُخرج من السجل الملف الذي يقوم عليه هذا الملف. هذا الملف معلَّق ولم يضع شيء." "ينظر فيه محكِّم بالأمر `sync-server case show` ويقرر بالأمر `sync-server case decide`. لا شيء يلزم على الوحدة.";
    IdentityChange "identity-change" Centre AfterStep
        "This record would change who a resident is: a name, a birth, a number. It is held until a person has checked it; nothing is lost." "An adjudicator compares both with `sync-server case show` and decides with `sync-server case decide`; a second person confirms it."
        "Ce dossier changerait l'identité d'une personne : un nom, une naissance, un numéro. Il attend qu'une personne l'ait vérifié ; rien n'est perdu." "Un arbitre compare les deux avec `sync-server case show` et décide avec `sync-server case decide` ; une seconde personne confirme."
        "هذا الملف يغيّر هوية شخص: اسمًا أو ميلادًا أو رقمًا. هو معلَّق حتى يتحقق منه شخص ولم يضع شيء." "يقارن محكِّم بينهما بالأمر `sync-server case show` ويقرر بالأمر `sync-server case decide`، ويؤكد ذلك شخص ثان.";
    RenewalHeld "renewal-held" Centre AfterStep
        "Renewals and replacements wait until a person has compared face and prints. It is held; nothing is lost." "An adjudicator compares both with `sync-server case show` and decides with `sync-server case decide`. The unit has nothing to do."
        "Renouvellements et remplacements attendent qu'une personne ait comparé le visage et les empreintes. Il est en attente ; rien n'est perdu." "Un arbitre compare les deux avec `sync-server case show` et décide avec `sync-server case decide`. L'unité n'a rien à faire."
        "ينتظر التجديد والتعويض حتى يقارن شخص الوجه والبصمات. الملف معلَّق ولم يضع شيء." "يقارن محكِّم بينهما بالأمر `sync-server case show` ويقرر بالأمر `sync-server case decide`. لا شيء يلزم على الوحدة.";
    Decided "decided" Centre Never
        "A person at the centre decided that this record does not count. It is kept in the archive." "The centre sees who decided and why with `sync-server case history`. If the resident is to be enrolled, enrol anew."
        "Une personne du centre a décidé que ce dossier ne compte pas. Il est conservé dans l'archive." "Le centre voit qui a décidé et pourquoi avec `sync-server case history`. Si la personne doit être enrôlée, enrôlez-la de nouveau."
        "قرر شخص في المركز أن هذا الملف لا يُحسب. هو محفوظ في الأرشيف." "يرى المركز من قرر ولماذا بالأمر `sync-server case history`. إذا وجب تسجيل الشخص فسجّله من جديد.";
    DecisionRevoked "decision-revoked" Centre AfterStep
        "The key of the person who decided about this had ended before. What was decided is held again; nothing is lost." "Another adjudicator decides with `sync-server case show` and `sync-server case decide`."
        "La clé de la personne qui en a décidé avait pris fin auparavant. Ce qui était décidé est de nouveau en attente ; rien n'est perdu." "Un autre arbitre décide avec `sync-server case show` et `sync-server case decide`."
        "انتهى من قبل مفتاح الشخص الذي قرر في هذا. ما قُرر صار معلَّقًا من جديد ولم يضع شيء." "يقرر محكِّم آخر بالأمرين `sync-server case show` و `sync-server case decide`.";
    Erased "erased" Centre Never
        "The bytes of this record were erased by decision of two persons. Its place in the log stays." "The centre sees who decided with `sync-server case history`."
        "Les octets de ce dossier ont été effacés par décision de deux personnes. Sa place dans le journal demeure." "Le centre voit qui a décidé avec `sync-server case history`."
        "مُحيت بيانات هذا الملف بقرار من شخصين. يبقى موضعه في اليومية." "يرى المركز من قرر بالأمر `sync-server case history`.";
    CaseChanged "case-changed" Person AfterStep
        "The case is not any more what was shown when it was decided, or another decision came first. Nothing was changed." "Look at it again with `sync-server case show` (a batch: `sync-server batch show`), then decide again with `sync-server case decide` (a batch: `sync-server batch decide`)."
        "Le cas n'est plus celui qui était affiché lors de la décision, ou une autre décision est venue avant. Rien n'a été changé." "Revoyez-le avec `sync-server case show` (un lot : `sync-server batch show`), puis décidez de nouveau avec `sync-server case decide` (un lot : `sync-server batch decide`)."
        "لم تعد الحالة كما عُرضت عند القرار، أو سبقه قرار آخر. لم يتغير شيء." "انظر فيها من جديد بالأمر `sync-server case show` (والدفعة: `sync-server batch show`) ثم قرر من جديد بالأمر `sync-server case decide` (والدفعة: `sync-server batch decide`).";
    SecondNeeded "second-needed" Person AfterStep
        "This decision is logged and waits for a second person, because of what it would change. Nothing is changed yet." "Another adjudicator looks at it with `sync-server case show` and signs with `sync-server case confirm`. If it is not to be, any adjudicator ends it with `sync-server case reject`."
        "Cette décision est journalisée et attend une seconde personne, à cause de ce qu'elle changerait. Rien n'est encore changé." "Un autre arbitre l'examine avec `sync-server case show` et signe avec `sync-server case confirm`. Si elle ne doit pas être, tout arbitre y met fin avec `sync-server case reject`."
        "هذا القرار مسجَّل في اليومية وينتظر شخصًا ثانيًا بسبب ما يغيّره. لم يتغير شيء بعد." "ينظر فيه محكِّم آخر بالأمر `sync-server case show` ويوقّع بالأمر `sync-server case confirm`. وإن كان لا ينبغي أن يكون فيُنهيه أي محكِّم بالأمر `sync-server case reject`.";
    SecondSame "second-same" Person AfterStep
        "The second person must be somebody else than the first. Nothing was changed." "Another adjudicator signs with a key of their own: `sync-server case confirm`. Who signed first may take it back: `sync-server case reject`."
        "La seconde personne doit être une autre que la première. Rien n'a été changé." "Un autre arbitre signe avec sa propre clé : `sync-server case confirm`. Qui a signé en premier peut y renoncer : `sync-server case reject`."
        "يجب أن يكون الشخص الثاني غير الأول. لم يتغير شيء." "يوقّع محكِّم آخر بمفتاحه الخاص: `sync-server case confirm`. ولمن وقّع أولًا أن يتراجع: `sync-server case reject`.";
    NotAdjudicator "not-adjudicator" Person AfterStep
        "The roster does not name this key as an adjudicator's, or it has ended. Nothing was changed." "An administrator admits it: `sync-server staff admit FILE --role adjudicator`. The list is `sync-server staff list`."
        "La liste d'habilitation ne nomme pas cette clé comme celle d'un arbitre, ou elle a pris fin. Rien n'a été changé." "Un administrateur l'admet : `sync-server staff admit FILE --role adjudicator`. La liste est `sync-server staff list`."
        "لا تذكر قائمة المخوَّلين هذا المفتاح لمحكِّم، أو انتهى. لم يتغير شيء." "يقبله مسؤول إداري: `sync-server staff admit FILE --role adjudicator`. والقائمة هي `sync-server staff list`.";
    RoleWrong "role-wrong" Person AfterStep
        "The request asks for another role than this command admits. Nothing was changed." "Look at who asks for what, then use the right command: `sync-server agent admit FILE`, `sync-server supervisor admit FILE` or `sync-server staff admit FILE`."
        "La demande porte sur un autre rôle que celui que cette commande admet. Rien n'a été changé." "Voyez qui demande quoi, puis utilisez la bonne commande : `sync-server agent admit FILE`, `sync-server supervisor admit FILE` ou `sync-server staff admit FILE`."
        "الطلب لدور غير الدور الذي يقبله هذا الأمر. لم يتغير شيء." "انظر من يطلب ماذا ثم استعمل الأمر المناسب: `sync-server agent admit FILE` أو `sync-server supervisor admit FILE` أو `sync-server staff admit FILE`.";
    KeyChoice "key-choice" Person AfterStep
        "This name has another key already, or has had several. Nothing was changed." "See them with `sync-server unit list`, `sync-server agent list` or `sync-server staff list`. To admit, say `--new-key` with `--cut-old` or `--keep-old`; to revoke, say `--key` or `--all`."
        "Ce nom a déjà une autre clé, ou en a eu plusieurs. Rien n'a été changé." "Voyez-les avec `sync-server unit list`, `sync-server agent list` ou `sync-server staff list`. Pour admettre, précisez `--new-key` avec `--cut-old` ou `--keep-old` ; pour révoquer, `--key` ou `--all`."
        "لهذا الاسم مفتاح آخر من قبل أو كانت له عدة مفاتيح. لم يتغير شيء." "اعرضها بالأمر `sync-server unit list` أو `sync-server agent list` أو `sync-server staff list`. للقبول حدّد `--new-key` مع `--cut-old` أو `--keep-old`، وللإلغاء حدّد `--key` أو `--all`.";
    HeadTooFar "head-too-far" Unit AfterStep
        "The hello claims far more batches or records than the log has of this key, or those of a later key. It was not taken; nothing is lost." "On the unit run `enroll-client doctor` and call the centre. If its data is damaged, the laptop goes on under a new key: `enroll-client new-key`."
        "Le message annonce bien plus de lots ou de dossiers que le journal n'en a de cette clé, ou ceux d'une clé postérieure. Il n'a pas été pris ; rien n'est perdu." "Sur l'unité, lancez `enroll-client doctor` et appelez le centre. Si ses données sont abîmées, l'ordinateur continue avec une nouvelle clé : `enroll-client new-key`."
        "تعلن الرسالة عن دفعات أو ملفات أكثر بكثير مما في اليومية لهذا المفتاح، أو لمفتاح لاحق. لم يؤخذ بها ولم يضع شيء." "شغّل على الوحدة `enroll-client doctor` واتصل بالمركز. إذا تلفت بياناتها استمر الحاسوب بمفتاح جديد: `enroll-client new-key`.";
    PassphraseWeak "passphrase-weak" Person AfterStep
        "The new passphrase would be guessed too soon. It was not set; nothing is lost." "Choose a longer one: five or more words drawn at random (dice, a book opened blindly), from no song, verse, name or date. Then give the command again."
        "La nouvelle phrase secrète serait devinée trop vite. Elle n'a pas été retenue ; rien n'est perdu." "Choisissez-en une plus longue : au moins cinq mots tirés au hasard (dés, livre ouvert sans regarder), sans chanson, verset, nom ni date. Puis relancez la commande."
        "عبارة السر الجديدة سهلة التخمين. لم تُعتمد ولم يضع شيء." "اختر عبارة أطول: خمس كلمات أو أكثر تُسحب بالصدفة (بالنرد أو بفتح كتاب دون نظر) وليست من أغنية أو آية أو اسم أو تاريخ. ثم أعد الأمر.";
    PassphraseReused "passphrase-reused" Person AfterStep
        "Two secrets were given the same passphrase: whoever learns one would have both. Nothing was made; nothing is lost." "Choose a passphrase of its own for each of them, keep them in different places, then give the command again."
        "Deux secrets ont reçu la même phrase secrète : qui apprend l'une aurait les deux. Rien n'a été créé ; rien n'est perdu." "Choisissez pour chacun sa propre phrase secrète, gardez-les à des endroits différents, puis relancez la commande."
        "أُعطي سرّان عبارة السر نفسها: من عرف إحداهما ملك الاثنين. لم يُنشأ شيء ولم يضع شيء." "اختر لكل منهما عبارة سر خاصة به واحفظهما في مكانين مختلفين، ثم أعد الأمر.";
    KeyUnreadable "key-unreadable" Person AfterStep
        "A key file of the centre is not there, or what lies there is no key. Nothing was changed; nothing is lost." "Check the path that you gave. The server's own keys lie in the folder `keys` of its data: put a missing one back from its copy, then run `sync-server doctor`."
        "Un fichier de clé du centre n'est pas là, ou ce qui s'y trouve n'est pas une clé. Rien n'a été changé ; rien n'est perdu." "Vérifiez le chemin donné. Les clés du serveur sont dans le dossier `keys` de ses données : remettez celle qui manque depuis sa copie, puis lancez `sync-server doctor`."
        "ملف مفتاح من ملفات المركز غير موجود أو ما فيه ليس مفتاحًا. لم يتغير شيء ولم يضع شيء." "تحقق من المسار الذي أعطيته. مفاتيح الخادم في مجلد `keys` ضمن بياناته: أعد الناقص منها من نسخته ثم شغّل `sync-server doctor`.";
    ImageCut "image-cut" Person AfterStep
        "An image stops before its end: it was not written or not copied whole. It was not taken; the draft is kept." "Copy it again or capture it again, then `enroll-client draft attach`. If the centre refused the record, enrol the resident again."
        "Une image s'arrête avant sa fin : elle n'a pas été écrite ou copiée en entier. Elle n'a pas été prise ; le brouillon est conservé." "Copiez-la de nouveau ou refaites la prise, puis `enroll-client draft attach`. Si le centre a refusé le dossier, enrôlez de nouveau la personne."
        "تنتهي الصورة قبل نهايتها: لم تُكتب أو لم تُنسخ كاملة. لم تُؤخذ، والمسودة محفوظة." "انسخها من جديد أو أعد الالتقاط ثم شغّل `enroll-client draft attach`. إذا رفض المركز الملف فسجّل الشخص من جديد.";
    PositionMismatch "position-mismatch" Person AfterStep
        "An image says that it shows another finger or eye than the one it was attached for. It was not taken; the draft is kept." "Look at which finger or eye it is. Attach it where it belongs, or capture the right one: `enroll-client draft attach`. If the centre refused the record, enrol the resident again."
        "Une image dit montrer un autre doigt ou un autre œil que celui pour lequel elle a été jointe. Elle n'a pas été prise ; le brouillon est conservé." "Vérifiez de quel doigt ou de quel œil il s'agit. Joignez-la à sa place, ou capturez le bon : `enroll-client draft attach`. Si le centre a refusé le dossier, enrôlez de nouveau la personne."
        "تقول الصورة إنها لإصبع أو عين غير التي أُرفقت لها. لم تُؤخذ، والمسودة محفوظة." "تحقق أي إصبع أو عين هي. أرفقها في موضعها أو التقط الصحيحة: `enroll-client draft attach`. إذا رفض المركز الملف فسجّل الشخص من جديد.";
    PartRepeated "part-repeated" Person AfterStep
        "One record has the same picture at two positions: two fingers, eyes or faces are never equal byte for byte. It was not taken; the draft is kept." "Capture again what the detail names, then `enroll-client draft attach`; take a wrong one out with `enroll-client draft detach`. If the centre refused the record, enrol the resident again."
        "Un dossier a la même image à deux positions : deux doigts, yeux ou visages ne sont jamais égaux à l'octet près. Elle n'a pas été prise ; le brouillon est conservé." "Refaites la prise indiquée dans le détail, puis `enroll-client draft attach` ; retirez une image fausse avec `enroll-client draft detach`. Si le centre a refusé le dossier, enrôlez de nouveau la personne."
        "في الملف الصورة نفسها في موضعين: لا تتساوى إصبعان أو عينان أو وجهان في كل البيانات أبدًا. لم تُؤخذ، والمسودة محفوظة." "أعد التقاط ما يذكره التفصيل ثم شغّل `enroll-client draft attach`. لإخراج صورة خاطئة شغّل `enroll-client draft detach`. إذا رفض المركز الملف فسجّل الشخص من جديد.";
    PartReused "part-reused" Centre AfterStep
        "A picture of a face, finger or eye in this record is byte for byte one of another resident's. It is held; nothing is lost." "An adjudicator compares both with `sync-server case show` and decides with `sync-server case decide`. The unit has nothing to do."
        "Une image de visage, de doigt ou d'œil de ce dossier est, à l'octet près, celle d'une autre personne. Il est en attente ; rien n'est perdu." "Un arbitre compare les deux avec `sync-server case show` et décide avec `sync-server case decide`. L'unité n'a rien à faire."
        "صورة وجه أو إصبع أو عين في هذا الملف مطابقة تمامًا لصورة شخص آخر. هو معلَّق ولم يضع شيء." "يقارن محكِّم بينهما بالأمر `sync-server case show` ويقرر بالأمر `sync-server case decide`. لا شيء يلزم على الوحدة.";
}
