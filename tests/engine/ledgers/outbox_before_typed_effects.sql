PRAGMA application_id = 1431061828;
PRAGMA user_version = 1;
BEGIN TRANSACTION;
CREATE TABLE "_sqlite_migrations" (
   "id" INTEGER PRIMARY KEY,
   "migration_set" TEXT,
   "name" TEXT,
   "applied_at" TEXT
);
INSERT INTO "_sqlite_migrations" VALUES(1,'understudy-ledger','m001_first','2026-11-29 06:29:29.754506+00:00');
CREATE TABLE facts (
    id INTEGER PRIMARY KEY AUTOINCREMENT, -- the order of commits
    stream TEXT NOT NULL,                 -- incident/7, component/anthropic.api, flag/support-chat.llm
    seq INTEGER NOT NULL,                 -- 1, 2, 3 ... within the stream
    at TEXT NOT NULL,                     -- ISO 8601, UTC
    kind TEXT NOT NULL,
    version INTEGER NOT NULL,
    actor TEXT NOT NULL,                  -- JSON
    incident INTEGER,
    body TEXT NOT NULL,                   -- JSON
    prev_hash TEXT NOT NULL,
    hash TEXT NOT NULL,                   -- sha256 over prev_hash and the columns above but id
    UNIQUE (stream, seq)
) STRICT
;
INSERT INTO "facts" VALUES(1,'incident/1',1,'2026-03-20T03:00:00.000000+00:00','incident.declared',1,'{"id":"U0BOB","kind":"person","name":"bob"}',1,'{"alerts_channel":"#ops","began_at":"2026-03-20T03:00:00+00:00","components":[],"dedup":"declared/1","number":1,"outage_began_at":null,"outage_known_at":null,"provider":"","reason":"declared by bob","severity":"SEV2","title":"Checkout is slow","vendor_first_at":null}','','7bdd8bcb1dd690195e9ca3fa4ae2d1d4c6e728765ebf446ada9388af19b6373a');
INSERT INTO "facts" VALUES(2,'incident/1',2,'2026-03-20T03:00:00.000000+00:00','incident.channel_named',1,'{"id":"U0BOB","kind":"person","name":"bob"}',1,'{"attempt":1,"name":"inc-20260320-0001-checkout-is-slow"}','7bdd8bcb1dd690195e9ca3fa4ae2d1d4c6e728765ebf446ada9388af19b6373a','0505778aba6759d4a12b8d0e0db97592116a9145cb6e21a80669ce33b7c32f92');
INSERT INTO "facts" VALUES(3,'incident/1',3,'2026-03-20T03:00:01.000000+00:00','incident.posted',1,'{"id":"k-of-n window","kind":"rule","name":"k-of-n window"}',1,'{"channel":"C000000001","key":"INC-1/alert.post/incident/1/1","ts":"1742472000.000100","what":"alert.post"}','0505778aba6759d4a12b8d0e0db97592116a9145cb6e21a80669ce33b7c32f92','3edc528a26f83b752e7f6b96c922cd5af989cd44a7b7436f32864124fec8b343');
INSERT INTO "facts" VALUES(4,'incident/1',4,'2026-03-20T03:00:02.000000+00:00','incident.channel_refused',1,'{"id":"k-of-n window","kind":"rule","name":"k-of-n window"}',1,'{"reason":"restricted_action"}','3edc528a26f83b752e7f6b96c922cd5af989cd44a7b7436f32864124fec8b343','96f95b18a1d8e7bd03184b537a6ec727314a72c74510cbd82975f0af50cce4f8');
INSERT INTO "facts" VALUES(5,'incident/1',5,'2026-03-20T03:00:03.000000+00:00','incident.post_gone',1,'{"id":"k-of-n window","kind":"rule","name":"k-of-n window"}',1,'{"again":true,"channel":"C000000001","reason":"message_not_found","ts":"1742472000.000100","what":"alert.post"}','96f95b18a1d8e7bd03184b537a6ec727314a72c74510cbd82975f0af50cce4f8','23358f6f36f220bb1cc73177d271df777b3a8e6487e299303624889d3d306807');
INSERT INTO "facts" VALUES(6,'incident/1',6,'2026-03-20T03:00:04.000000+00:00','incident.effect_given_up',1,'{"id":"k-of-n window","kind":"rule","name":"k-of-n window"}',1,'{"key":"INC-1/channel.topic/incident/1/1","reason":"too_long","what":"channel.topic"}','23358f6f36f220bb1cc73177d271df777b3a8e6487e299303624889d3d306807','1a66c58d528bc0b1f3c3a692381be8d5fcaf2507f9e6351415cc85c8c9a1681e');
INSERT INTO "facts" VALUES(7,'incident/2',1,'2026-03-20T03:00:05.000000+00:00','incident.declared',1,'{"id":"U0ANA","kind":"person","name":"ana"}',2,'{"alerts_channel":"#ops","began_at":"2026-03-20T03:00:05+00:00","components":[],"dedup":"declared/2","number":2,"outage_began_at":null,"outage_known_at":null,"provider":"","reason":"declared by ana","severity":"SEV3","title":"Search is slow","vendor_first_at":null}','','743b40dd3b75c4f9f77ba9fad30cc13aab6fa19072d08447f5f76b8febdbfad3');
INSERT INTO "facts" VALUES(8,'incident/2',2,'2026-03-20T03:00:05.000000+00:00','incident.channel_named',1,'{"id":"U0ANA","kind":"person","name":"ana"}',2,'{"attempt":1,"name":"inc-20260320-0002-search-is-slow"}','743b40dd3b75c4f9f77ba9fad30cc13aab6fa19072d08447f5f76b8febdbfad3','003137246b785d2f5a608adca2c4ecbcb57f0f4a32c98f7c6577103ff9e0ac4a');
INSERT INTO "facts" VALUES(9,'incident/2',3,'2026-03-20T03:00:06.000000+00:00','incident.channel_opened',1,'{"id":"k-of-n window","kind":"rule","name":"k-of-n window"}',2,'{"channel":"C000000002","name":"inc-20260320-0002-search-is-slow"}','003137246b785d2f5a608adca2c4ecbcb57f0f4a32c98f7c6577103ff9e0ac4a','351d9d65cb3644b54a78aacc8de75d62dba6f1bc361a005bcb9911b1e7fb1217');
INSERT INTO "facts" VALUES(10,'incident/2',4,'2026-03-20T03:00:07.000000+00:00','incident.posted',1,'{"id":"k-of-n window","kind":"rule","name":"k-of-n window"}',2,'{"channel":"C000000002","key":"INC-2/card.post/incident/2/1","ts":"1742472001.000100","what":"card.post"}','351d9d65cb3644b54a78aacc8de75d62dba6f1bc361a005bcb9911b1e7fb1217','f5b77837090903a30ca62a22d05e71f27e7feb908da71ac11413f5fcebd6c862');
INSERT INTO "facts" VALUES(11,'incident/2',5,'2026-03-20T03:00:08.000000+00:00','incident.post_gone',1,'{"id":"k-of-n window","kind":"rule","name":"k-of-n window"}',2,'{"again":true,"channel":"C000000002","reason":"message_not_found","ts":"1742472001.000100","what":"card.post"}','f5b77837090903a30ca62a22d05e71f27e7feb908da71ac11413f5fcebd6c862','481fb128564d2908e08e34d16546d7a382559ab0098001506e8bd8397d88c9cf');
INSERT INTO "facts" VALUES(12,'component/anthropic.api',1,'2026-03-20T03:00:09.000000+00:00','verdict.changed',1,'{"id":"k-of-n window","kind":"rule","name":"k-of-n window"}',NULL,'{"began_at":"2026-03-20T03:00:09+00:00","component":"anthropic.api","evidence":[],"fault":"none","level":"down","previous":"unknown","reason":"HTTP 502","thread":""}','','45edf0a6691bea7890e06fee986fd1258ffc77291598d7535c952aeaafa47ea8');
INSERT INTO "facts" VALUES(13,'incident/3',1,'2026-03-20T03:00:09.000000+00:00','incident.declared',1,'{"id":"k-of-n window","kind":"rule","name":"k-of-n window"}',3,'{"alerts_channel":"#ops","began_at":"2026-03-20T03:00:09+00:00","components":["anthropic.api"],"dedup":"anthropic","number":3,"outage_began_at":null,"outage_known_at":null,"provider":"anthropic","reason":"HTTP 502","severity":"SEV2","title":"Claude API down","vendor_first_at":null}','','fb4a430646aa3a6bcf6eea234a82e60e3791abb7fd2aa31c0686850392e58984');
INSERT INTO "facts" VALUES(14,'incident/3',2,'2026-03-20T03:00:09.000000+00:00','incident.component_joined',1,'{"id":"k-of-n window","kind":"rule","name":"k-of-n window"}',3,'{"began_at":"2026-03-20T03:00:09+00:00","component":"anthropic.api","evidence":[],"level":"down","reason":"HTTP 502"}','fb4a430646aa3a6bcf6eea234a82e60e3791abb7fd2aa31c0686850392e58984','666b205d67376912fbf287b2116d968d07481029ae03393d8691e98f8e76a173');
INSERT INTO "facts" VALUES(15,'incident/3',3,'2026-03-20T03:00:09.000000+00:00','incident.channel_named',1,'{"id":"k-of-n window","kind":"rule","name":"k-of-n window"}',3,'{"attempt":1,"name":"inc-20260320-0003-claude-api-down"}','666b205d67376912fbf287b2116d968d07481029ae03393d8691e98f8e76a173','16128a1e6b3623ce19e8d0dee8878c4e0733fd05e4f6911a1827f13e20c06be7');
INSERT INTO "facts" VALUES(16,'flag/support-chat.llm',1,'2026-03-20T03:00:09.000000+00:00','flag.engaged',1,'{"id":"fallback automation","kind":"rule","name":"fallback automation"}',3,'{"because":["anthropic.api"],"engagement":"support-chat.llm#1","expires_at":"2026-03-20T07:00:09+00:00","flag":"support-chat.llm","mode":"auto","previous":"claude","reason":"Claude API is down","variant":"cached"}','','fa3528da30b5498fb48b62ce70dcf79a22a679a41779ab3488a888d6229ce539');
INSERT INTO "facts" VALUES(17,'incident/3',4,'2026-03-20T03:00:09.000000+00:00','incident.phase_changed',1,'{"id":"fallback automation","kind":"rule","name":"fallback automation"}',3,'{"move":"forward","phase":"mitigated","previous":"triage","reason":"served by fallback: support-chat.llm"}','16128a1e6b3623ce19e8d0dee8878c4e0733fd05e4f6911a1827f13e20c06be7','5984622dad206a9f33adca066175fa9d6a9d8e836f499ef180e42c758a80df40');
INSERT INTO "facts" VALUES(18,'incident/3',5,'2026-03-20T03:00:10.000000+00:00','incident.acknowledged',1,'{"id":"U0ANA","kind":"person","name":"ana"}',3,'{}','5984622dad206a9f33adca066175fa9d6a9d8e836f499ef180e42c758a80df40','9c390c32ee87626ad942d0ad0ceb49362f2008a6bbd7e16dd488efe0b4c8c5cd');
INSERT INTO "facts" VALUES(19,'incident/3',6,'2026-03-20T03:00:11.000000+00:00','incident.update_written',1,'{"id":"U0ANA","kind":"person","name":"ana"}',3,'{"missed":0,"slot":1,"text":"Support answers by hand."}','9c390c32ee87626ad942d0ad0ceb49362f2008a6bbd7e16dd488efe0b4c8c5cd','2cf34442823a575011738d41a71b5adade47fa65a795b9a78f99ce6f7a7ad3a8');
INSERT INTO "facts" VALUES(20,'incident/1',7,'2026-03-20T04:01:12.000000+00:00','incident.update_written',1,'{"id":"update every 60 min","kind":"rule","name":"update every 60 min"}',1,'{"missed":0,"slot":1,"text":""}','1a66c58d528bc0b1f3c3a692381be8d5fcaf2507f9e6351415cc85c8c9a1681e','70bd33c42909b1e13895e81c89161ad8c57957b0db47579e664a8217487912fc');
INSERT INTO "facts" VALUES(21,'incident/2',6,'2026-03-20T04:01:12.000000+00:00','incident.update_written',1,'{"id":"update every 60 min","kind":"rule","name":"update every 60 min"}',2,'{"missed":0,"slot":1,"text":""}','481fb128564d2908e08e34d16546d7a382559ab0098001506e8bd8397d88c9cf','5524bde94200802f1bc876586e4232057dadb5445596eba26adf2a3ffee87517');
INSERT INTO "facts" VALUES(22,'incident/3',7,'2026-03-20T04:01:12.000000+00:00','incident.update_written',1,'{"id":"update every 60 min","kind":"rule","name":"update every 60 min"}',3,'{"missed":0,"slot":2,"text":""}','2cf34442823a575011738d41a71b5adade47fa65a795b9a78f99ce6f7a7ad3a8','c00896dbb4d075c6f5f910ddf5e4a238fe7112fe731b2bb0cd28c992a13a7e4e');
INSERT INTO "facts" VALUES(23,'incident/3',8,'2026-03-20T04:01:13.000000+00:00','incident.note_added',1,'{"id":"U0ANA","kind":"person","name":"ana"}',3,'{"text":"vendor support knows"}','c00896dbb4d075c6f5f910ddf5e4a238fe7112fe731b2bb0cd28c992a13a7e4e','e2975b6b5c9bc245242e960e9303129bcff1e8c9c1d165d809a7b2a2fcd73351');
INSERT INTO "facts" VALUES(24,'component/openai.api',1,'2026-03-20T04:01:14.000000+00:00','verdict.changed',1,'{"id":"k-of-n window","kind":"rule","name":"k-of-n window"}',NULL,'{"began_at":"2026-03-20T04:01:14+00:00","component":"openai.api","evidence":[],"fault":"none","level":"degraded","previous":"unknown","reason":"HTTP 502","thread":"quiet/component/openai.api/1"}','','6e7cd497b077c3f53ac8772041d8f9a838877d9b1892fd4f77c4cf0745d9cbbf');
INSERT INTO "facts" VALUES(25,'component/openai.api',2,'2026-03-20T04:01:15.000000+00:00','verdict.changed',1,'{"id":"k-of-n window","kind":"rule","name":"k-of-n window"}',NULL,'{"began_at":"2026-03-20T04:01:15+00:00","component":"openai.api","evidence":[],"fault":"none","level":"operational","previous":"degraded","reason":"HTTP 502","thread":"quiet/component/openai.api/1"}','6e7cd497b077c3f53ac8772041d8f9a838877d9b1892fd4f77c4cf0745d9cbbf','a8b5100ccf855bc6abff10ed9e982b6096932c41625ba35b78914cce706fb538');
INSERT INTO "facts" VALUES(26,'component/anthropic.api',2,'2026-03-20T04:01:16.000000+00:00','verdict.changed',1,'{"id":"k-of-n window","kind":"rule","name":"k-of-n window"}',NULL,'{"began_at":"2026-03-20T04:01:16+00:00","component":"anthropic.api","evidence":[],"fault":"none","level":"operational","previous":"down","reason":"HTTP 502","thread":""}','45edf0a6691bea7890e06fee986fd1258ffc77291598d7535c952aeaafa47ea8','86097e6ef3ba1d10ce03c002fc93d39f1a45a3d3ffbc065e9e735b0e5e731993');
INSERT INTO "facts" VALUES(27,'incident/3',9,'2026-03-20T04:01:16.000000+00:00','incident.component_moved',1,'{"id":"k-of-n window","kind":"rule","name":"k-of-n window"}',3,'{"began_at":"2026-03-20T04:01:16+00:00","component":"anthropic.api","evidence":[],"level":"operational","previous":"down","reason":"HTTP 502"}','e2975b6b5c9bc245242e960e9303129bcff1e8c9c1d165d809a7b2a2fcd73351','ab3b6e5e1c2de2f906e1edd42dc18db437ae273a3759d7aded2b67a51d07ff38');
INSERT INTO "facts" VALUES(28,'incident/3',10,'2026-03-20T04:01:16.000000+00:00','incident.phase_changed',1,'{"id":"all components well","kind":"rule","name":"all components well"}',3,'{"move":"forward","phase":"monitoring","previous":"mitigated","reason":"every component is operational again"}','ab3b6e5e1c2de2f906e1edd42dc18db437ae273a3759d7aded2b67a51d07ff38','46c703bb652412e9f4754f5bdba2698ce1f42791bb132532cdc2c3dba356e47c');
INSERT INTO "facts" VALUES(29,'flag/support-chat.llm',2,'2026-03-20T04:01:16.000000+00:00','flag.hand_back_asked',1,'{"id":"hand-back","kind":"rule","name":"hand-back"}',3,'{"flag":"support-chat.llm","reason":"Claude API is operational"}','fa3528da30b5498fb48b62ce70dcf79a22a679a41779ab3488a888d6229ce539','b09b538f4e9fbd8f0c3ae9d51abcd994822ba6e3930348870db80c9b491411c9');
INSERT INTO "facts" VALUES(30,'incident/3',11,'2026-03-20T04:01:17.000000+00:00','incident.phase_changed',1,'{"id":"U0ANA","kind":"person","name":"ana"}',3,'{"move":"forward","phase":"resolved","previous":"monitoring","reason":"well"}','46c703bb652412e9f4754f5bdba2698ce1f42791bb132532cdc2c3dba356e47c','5873ca22fa28d113c1b28c086764b54fe82a6632b57fd549a3c8917277624115');
CREATE TABLE outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT,  -- the order within a lane
    key TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    lane TEXT NOT NULL,
    slot TEXT NOT NULL,
    incident INTEGER,
    stream TEXT NOT NULL,
    seq INTEGER NOT NULL,
    args TEXT NOT NULL,                    -- JSON
    state TEXT NOT NULL CHECK (state IN ('pending', 'sending', 'ambiguous', 'done', 'dead', 'superseded')),
    attempt INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,           -- this and all below: microseconds since 1970, UTC
    started_at INTEGER,
    first_started_at INTEGER,
    not_before INTEGER NOT NULL,
    lease_until INTEGER,
    owner TEXT NOT NULL DEFAULT '',
    ambiguous_rounds INTEGER NOT NULL DEFAULT 0,
    result TEXT NOT NULL DEFAULT '{}',     -- JSON
    error TEXT NOT NULL DEFAULT ''
) STRICT
;
INSERT INTO "outbox" VALUES(1,'INC-1/alert.post/incident/1/1','alert.post','alert/1','',1,'incident/1',1,'{}','done',1,1773975600000000,1773975601000000,1773975601000000,1773975601000000,NULL,'',0,'{"channel":"C000000001","name":"","ts":"1742472000.000100"}','');
INSERT INTO "outbox" VALUES(2,'INC-1/channel.open/incident/1/1','channel.open','incident/1','',1,'incident/1',1,'{}','dead',2,1773975600000000,1773975602000000,1773975601000000,1773975602000000,NULL,'',0,'{}','restricted_action');
INSERT INTO "outbox" VALUES(3,'INC-1/channel.topic/incident/1/1','channel.topic','incident/1','',1,'incident/1',1,'{}','pending',4,1773975600000000,1773979278000000,1773975606000000,1773979278000000,NULL,'',0,'{}','');
INSERT INTO "outbox" VALUES(4,'INC-1/card.post/incident/1/1','card.post','incident/1','',1,'incident/1',1,'{}','pending',0,1773975600000000,NULL,NULL,0,NULL,'',0,'{}','');
INSERT INTO "outbox" VALUES(5,'INC-1/card.pin/incident/1/1','card.pin','incident/1','',1,'incident/1',1,'{}','pending',0,1773975600000000,NULL,NULL,0,NULL,'',0,'{}','');
INSERT INTO "outbox" VALUES(6,'INC-1/channel.bookmarks/incident/1/1','channel.bookmarks','incident/1','',1,'incident/1',1,'{}','pending',0,1773975600000000,NULL,NULL,0,NULL,'',0,'{}','');
INSERT INTO "outbox" VALUES(7,'INC-1/channel.invite/incident/1/1','channel.invite','incident/1','',1,'incident/1',1,'{}','pending',0,1773975600000000,NULL,NULL,0,NULL,'',0,'{}','');
INSERT INTO "outbox" VALUES(8,'INC-1/refusal.post/incident/1/4','refusal.post','ops','',1,'incident/1',4,'{}','ambiguous',4,1773975602000000,1773979278000000,1773975606000000,1773979308000000,NULL,'',0,'{}','Slack did not answer in time');
INSERT INTO "outbox" VALUES(9,'INC-1/tell/incident/1/4','tell','person/U0BOB','',1,'incident/1',4,'{"user":"U0BOB"}','sending',4,1773975602000000,1773979278000000,1773975606000000,1773975607000000,1773979368000000,'old',0,'{}','');
INSERT INTO "outbox" VALUES(10,'INC-1/alert/incident/1/4','alert.edit','alert/1','alert/1',1,'incident/1',4,'{}','superseded',3,1773975602000000,1773975607000000,1773975606000000,1773975607000000,NULL,'',0,'{}','');
INSERT INTO "outbox" VALUES(11,'INC-1/card/incident/1/4','card.edit','incident/1','card/1',1,'incident/1',4,'{}','superseded',0,1773975602000000,NULL,NULL,0,NULL,'',0,'{}','');
INSERT INTO "outbox" VALUES(12,'INC-1/alert/2','alert.post','alert/1','',1,'incident/1',5,'{}','ambiguous',1,1773975603000000,1773979278000000,1773979278000000,1773979308000000,NULL,'',0,'{}','Slack did not answer in time');
INSERT INTO "outbox" VALUES(13,'given-up/INC-1/channel.topic','fact.post','ops','',1,'incident/1',6,'{"to":"ops"}','pending',0,1773975604000000,NULL,NULL,0,NULL,'',0,'{}','');
INSERT INTO "outbox" VALUES(14,'INC-2/alert.post/incident/2/1','alert.post','alert/2','',2,'incident/2',1,'{}','ambiguous',4,1773975605000000,1773979278000000,1773975606000000,1773979308000000,NULL,'',0,'{}','Slack did not answer in time');
INSERT INTO "outbox" VALUES(15,'INC-2/channel.open/incident/2/1','channel.open','incident/2','',2,'incident/2',1,'{}','done',1,1773975605000000,1773975606000000,1773975606000000,1773975606000000,NULL,'',0,'{"channel":"C000000002","name":"inc-20260320-0002-search-is-slow","ts":""}','');
INSERT INTO "outbox" VALUES(16,'INC-2/channel.topic/incident/2/1','channel.topic','incident/2','',2,'incident/2',1,'{}','done',1,1773975605000000,1773975607000000,1773975607000000,1773975607000000,NULL,'',0,'{}','');
INSERT INTO "outbox" VALUES(17,'INC-2/card.post/incident/2/1','card.post','incident/2','',2,'incident/2',1,'{}','done',1,1773975605000000,1773975607000000,1773975607000000,1773975607000000,NULL,'',0,'{"channel":"C000000002","name":"","ts":"1742472001.000100"}','');
INSERT INTO "outbox" VALUES(18,'INC-2/card.pin/incident/2/1','card.pin','incident/2','',2,'incident/2',1,'{}','pending',1,1773975605000000,1773979278000000,1773979278000000,1773979278000000,NULL,'',0,'{}','');
INSERT INTO "outbox" VALUES(19,'INC-2/channel.bookmarks/incident/2/1','channel.bookmarks','incident/2','',2,'incident/2',1,'{}','pending',0,1773975605000000,NULL,NULL,0,NULL,'',0,'{}','');
INSERT INTO "outbox" VALUES(20,'INC-2/channel.invite/incident/2/1','channel.invite','incident/2','',2,'incident/2',1,'{}','pending',0,1773975605000000,NULL,NULL,0,NULL,'',0,'{}','');
INSERT INTO "outbox" VALUES(21,'INC-2/alert/incident/2/3','alert.edit','alert/2','alert/2',2,'incident/2',3,'{}','superseded',0,1773975606000000,NULL,NULL,0,NULL,'',0,'{}','');
INSERT INTO "outbox" VALUES(22,'INC-2/card/incident/2/3','card.edit','incident/2','card/2',2,'incident/2',3,'{}','superseded',0,1773975606000000,NULL,NULL,0,NULL,'',0,'{}','');
INSERT INTO "outbox" VALUES(23,'INC-2/topic/incident/2/3','channel.topic','incident/2','topic/2',2,'incident/2',3,'{}','superseded',0,1773975606000000,NULL,NULL,0,NULL,'',0,'{}','');
INSERT INTO "outbox" VALUES(24,'INC-2/card/2','card.post','incident/2','',2,'incident/2',5,'{}','pending',0,1773975608000000,NULL,NULL,0,NULL,'',0,'{}','');
INSERT INTO "outbox" VALUES(25,'INC-2/pin/2','card.pin','incident/2','',2,'incident/2',5,'{}','pending',0,1773975608000000,NULL,NULL,0,NULL,'',0,'{}','');
INSERT INTO "outbox" VALUES(26,'INC-3/alert.post/incident/3/1','alert.post','alert/3','',3,'incident/3',1,'{}','ambiguous',1,1773975609000000,1773979278000000,1773979278000000,1773979308000000,NULL,'',0,'{}','Slack did not answer in time');
INSERT INTO "outbox" VALUES(27,'INC-3/channel.open/incident/3/1','channel.open','incident/3','',3,'incident/3',1,'{}','ambiguous',1,1773975609000000,1773979278000000,1773979278000000,1773979308000000,NULL,'',0,'{}','Slack did not answer in time');
INSERT INTO "outbox" VALUES(28,'INC-3/channel.topic/incident/3/1','channel.topic','incident/3','',3,'incident/3',1,'{}','pending',0,1773975609000000,NULL,NULL,0,NULL,'',0,'{}','');
INSERT INTO "outbox" VALUES(29,'INC-3/card.post/incident/3/1','card.post','incident/3','',3,'incident/3',1,'{}','pending',0,1773975609000000,NULL,NULL,0,NULL,'',0,'{}','');
INSERT INTO "outbox" VALUES(30,'INC-3/card.pin/incident/3/1','card.pin','incident/3','',3,'incident/3',1,'{}','pending',0,1773975609000000,NULL,NULL,0,NULL,'',0,'{}','');
INSERT INTO "outbox" VALUES(31,'INC-3/channel.bookmarks/incident/3/1','channel.bookmarks','incident/3','',3,'incident/3',1,'{}','pending',0,1773975609000000,NULL,NULL,0,NULL,'',0,'{}','');
INSERT INTO "outbox" VALUES(32,'INC-3/channel.invite/incident/3/1','channel.invite','incident/3','',3,'incident/3',1,'{}','pending',0,1773975609000000,NULL,NULL,0,NULL,'',0,'{}','');
INSERT INTO "outbox" VALUES(33,'INC-3/runbook.post/incident/3/1','runbook.post','incident/3','',3,'incident/3',1,'{}','pending',0,1773975609000000,NULL,NULL,0,NULL,'',0,'{}','');
INSERT INTO "outbox" VALUES(34,'flag/support-chat.llm/1/line','fact.post','incident/3','',3,'flag/support-chat.llm',1,'{}','pending',0,1773975609000000,NULL,NULL,0,NULL,'',0,'{}','');
INSERT INTO "outbox" VALUES(35,'incident/3/4/line','fact.post','incident/3','',3,'incident/3',4,'{}','pending',0,1773975609000000,NULL,NULL,0,NULL,'',0,'{}','');
INSERT INTO "outbox" VALUES(36,'incident/3/5/line','fact.post','incident/3','',3,'incident/3',5,'{}','pending',0,1773975610000000,NULL,NULL,0,NULL,'',0,'{}','');
INSERT INTO "outbox" VALUES(37,'INC-3/channel.invite/incident/3/5','channel.invite','incident/3','',3,'incident/3',5,'{}','pending',0,1773975610000000,NULL,NULL,0,NULL,'',0,'{}','');
INSERT INTO "outbox" VALUES(38,'INC-3/alert/incident/3/5','alert.edit','alert/3','alert/3',3,'incident/3',5,'{}','superseded',0,1773975610000000,NULL,NULL,0,NULL,'',0,'{}','');
INSERT INTO "outbox" VALUES(39,'INC-3/card/incident/3/5','card.edit','incident/3','card/3',3,'incident/3',5,'{}','superseded',0,1773975610000000,NULL,NULL,0,NULL,'',0,'{}','');
INSERT INTO "outbox" VALUES(40,'INC-3/update/1','update.post','incident/3','',3,'incident/3',6,'{"since":"2026-03-20T03:00:09.000000+0000"}','pending',0,1773975611000000,NULL,NULL,0,NULL,'',0,'{}','');
INSERT INTO "outbox" VALUES(41,'INC-3/alert/incident/3/6','alert.edit','alert/3','alert/3',3,'incident/3',6,'{}','superseded',0,1773975611000000,NULL,NULL,0,NULL,'',0,'{}','');
INSERT INTO "outbox" VALUES(42,'INC-3/card/incident/3/6','card.edit','incident/3','card/3',3,'incident/3',6,'{}','superseded',0,1773975611000000,NULL,NULL,0,NULL,'',0,'{}','');
INSERT INTO "outbox" VALUES(43,'INC-1/update/1','update.post','incident/1','update/1',1,'incident/1',7,'{"since":"2026-03-20T03:00:00.000000+0000"}','pending',0,1773979272000000,NULL,NULL,0,NULL,'',0,'{}','');
INSERT INTO "outbox" VALUES(44,'INC-2/update/1','update.post','incident/2','update/2',2,'incident/2',6,'{"since":"2026-03-20T03:00:05.000000+0000"}','pending',0,1773979272000000,NULL,NULL,0,NULL,'',0,'{}','');
INSERT INTO "outbox" VALUES(45,'INC-3/update/2','update.post','incident/3','update/3',3,'incident/3',7,'{"since":"2026-03-20T03:00:11.000000+0000"}','pending',0,1773979272000000,NULL,NULL,0,NULL,'',0,'{}','');
INSERT INTO "outbox" VALUES(46,'INC-1/alert/incident/1/7','alert.edit','alert/1','alert/1',1,'incident/1',7,'{}','pending',0,1773979272000000,NULL,NULL,0,NULL,'',0,'{}','');
INSERT INTO "outbox" VALUES(47,'INC-1/card/incident/1/7','card.edit','incident/1','card/1',1,'incident/1',7,'{}','pending',0,1773979272000000,NULL,NULL,0,NULL,'',0,'{}','');
INSERT INTO "outbox" VALUES(48,'INC-2/alert/incident/2/6','alert.edit','alert/2','alert/2',2,'incident/2',6,'{}','pending',0,1773979272000000,NULL,NULL,0,NULL,'',0,'{}','');
INSERT INTO "outbox" VALUES(49,'INC-2/card/incident/2/6','card.edit','incident/2','card/2',2,'incident/2',6,'{}','pending',0,1773979272000000,NULL,NULL,0,NULL,'',0,'{}','');
INSERT INTO "outbox" VALUES(50,'INC-2/topic/incident/2/6','channel.topic','incident/2','topic/2',2,'incident/2',6,'{}','pending',0,1773979272000000,NULL,NULL,0,NULL,'',0,'{}','');
INSERT INTO "outbox" VALUES(51,'INC-3/alert/incident/3/7','alert.edit','alert/3','alert/3',3,'incident/3',7,'{}','superseded',0,1773979272000000,NULL,NULL,0,NULL,'',0,'{}','');
INSERT INTO "outbox" VALUES(52,'INC-3/card/incident/3/7','card.edit','incident/3','card/3',3,'incident/3',7,'{}','superseded',0,1773979272000000,NULL,NULL,0,NULL,'',0,'{}','');
INSERT INTO "outbox" VALUES(53,'incident/3/8/line','fact.post','incident/3','',3,'incident/3',8,'{}','pending',0,1773979273000000,NULL,NULL,0,NULL,'',0,'{}','');
INSERT INTO "outbox" VALUES(54,'INC-3/alert/incident/3/8','alert.edit','alert/3','alert/3',3,'incident/3',8,'{}','superseded',0,1773979273000000,NULL,NULL,0,NULL,'',0,'{}','');
INSERT INTO "outbox" VALUES(55,'INC-3/card/incident/3/8','card.edit','incident/3','card/3',3,'incident/3',8,'{}','superseded',0,1773979273000000,NULL,NULL,0,NULL,'',0,'{}','');
INSERT INTO "outbox" VALUES(56,'quiet/component/openai.api/1','quiet.post','ops','',NULL,'component/openai.api',1,'{}','pending',0,1773979274000000,NULL,NULL,0,NULL,'',0,'{}','');
INSERT INTO "outbox" VALUES(57,'quiet.reply/component/openai.api/2','quiet.reply','ops','',NULL,'component/openai.api',2,'{"root":"quiet/component/openai.api/1"}','pending',0,1773979275000000,NULL,NULL,0,NULL,'',0,'{}','');
INSERT INTO "outbox" VALUES(58,'incident/3/9/line','fact.post','incident/3','',3,'incident/3',9,'{}','pending',0,1773979276000000,NULL,NULL,0,NULL,'',0,'{}','');
INSERT INTO "outbox" VALUES(59,'incident/3/10/line','fact.post','incident/3','',3,'incident/3',10,'{}','pending',0,1773979276000000,NULL,NULL,0,NULL,'',0,'{}','');
INSERT INTO "outbox" VALUES(60,'flag/support-chat.llm/2/line','fact.post','incident/3','',3,'flag/support-chat.llm',2,'{}','pending',0,1773979276000000,NULL,NULL,0,NULL,'',0,'{}','');
INSERT INTO "outbox" VALUES(61,'INC-3/alert/flag/support-chat.llm/2','alert.edit','alert/3','alert/3',3,'flag/support-chat.llm',2,'{}','superseded',0,1773979276000000,NULL,NULL,0,NULL,'',0,'{}','');
INSERT INTO "outbox" VALUES(62,'INC-3/card/flag/support-chat.llm/2','card.edit','incident/3','card/3',3,'flag/support-chat.llm',2,'{}','superseded',0,1773979276000000,NULL,NULL,0,NULL,'',0,'{}','');
INSERT INTO "outbox" VALUES(63,'INC-3/summary.post/incident/3/11','summary.post','incident/3','',3,'incident/3',11,'{}','pending',0,1773979277000000,NULL,NULL,0,NULL,'',0,'{}','');
INSERT INTO "outbox" VALUES(64,'INC-3/export.upload/incident/3/11','export.upload','incident/3','',3,'incident/3',11,'{"format":"md"}','pending',0,1773979277000000,NULL,NULL,0,NULL,'',0,'{}','');
INSERT INTO "outbox" VALUES(65,'INC-3/alert/incident/3/11','alert.edit','alert/3','alert/3',3,'incident/3',11,'{}','pending',0,1773979277000000,NULL,NULL,0,NULL,'',0,'{}','');
INSERT INTO "outbox" VALUES(66,'INC-3/card/incident/3/11','card.edit','incident/3','card/3',3,'incident/3',11,'{}','pending',0,1773979277000000,NULL,NULL,0,NULL,'',0,'{}','');
CREATE TABLE seen (id TEXT PRIMARY KEY, until INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE signals (id TEXT PRIMARY KEY, at INTEGER NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO "signals" VALUES('done/INC-1/alert.post/incident/1/1',1773975601000000);
INSERT INTO "signals" VALUES('done/INC-2/card.post/incident/2/1',1773975607000000);
INSERT INTO "signals" VALUES('done/INC-2/channel.open/incident/2/1',1773975606000000);
INSERT INTO "signals" VALUES('refused/INC-1/channel.open/incident/1/1',1773975602000000);
CREATE TABLE states (
    stream TEXT PRIMARY KEY,
    seq INTEGER NOT NULL,  -- of the stream's newest fact
    kind TEXT NOT NULL,
    dedup TEXT NOT NULL,   -- not empty only while an incident is open
    body TEXT NOT NULL     -- JSON; rebuildable from facts
) STRICT
;
INSERT INTO "states" VALUES('incident/1',7,'incident','declared/1','{"acknowledged_at":null,"acknowledged_by":null,"affected":{},"alert_channel_id":"C000000001","alert_ts":"","alerts_channel":"#ops","alerts_gone":1,"began_at":"2026-03-20T03:00:00+00:00","card_channel_id":"","card_ts":"","cards_gone":0,"channel":"","channel_attempt":1,"channel_name":"inc-20260320-0001-checkout-is-slow","channel_refused":"restricted_action","declared_at":"2026-03-20T03:00:00+00:00","declared_by":{"id":"U0BOB","kind":"person","name":"bob"},"dedup":"declared/1","ended_reason":"","last_update_at":"2026-03-20T04:01:12+00:00","mitigated_at":null,"number":1,"outage_began_at":null,"outage_known_at":null,"phase":"triage","provider":"","reason":"declared by bob","relapses":0,"reopened":0,"resolve_asked_at":null,"resolved_at":null,"resolved_by":null,"responders":[],"severity":"SEV2","severity_at":null,"severity_by_person":true,"title":"Checkout is slow","updates":1,"vendor_first_at":null,"vendor_words":0,"well_since":null}');
INSERT INTO "states" VALUES('incident/2',6,'incident','declared/2','{"acknowledged_at":null,"acknowledged_by":null,"affected":{},"alert_channel_id":"","alert_ts":"","alerts_channel":"#ops","alerts_gone":0,"began_at":"2026-03-20T03:00:05+00:00","card_channel_id":"C000000002","card_ts":"","cards_gone":1,"channel":"C000000002","channel_attempt":1,"channel_name":"inc-20260320-0002-search-is-slow","channel_refused":"","declared_at":"2026-03-20T03:00:05+00:00","declared_by":{"id":"U0ANA","kind":"person","name":"ana"},"dedup":"declared/2","ended_reason":"","last_update_at":"2026-03-20T04:01:12+00:00","mitigated_at":null,"number":2,"outage_began_at":null,"outage_known_at":null,"phase":"triage","provider":"","reason":"declared by ana","relapses":0,"reopened":0,"resolve_asked_at":null,"resolved_at":null,"resolved_by":null,"responders":[],"severity":"SEV3","severity_at":null,"severity_by_person":true,"title":"Search is slow","updates":1,"vendor_first_at":null,"vendor_words":0,"well_since":null}');
INSERT INTO "states" VALUES('component/anthropic.api',2,'component','','{"advisory":"","advisory_key":"","advisory_since":null,"alerts":{},"began_at":"2026-03-20T04:01:16+00:00","evidence":[],"fault":"none","held_back":null,"id":"anthropic.api","level":"operational","mute":null,"quiet_key":"","reason":"HTTP 502","reports":[],"since":"2026-03-20T04:01:16+00:00","unwell_since":null}');
INSERT INTO "states" VALUES('flag/support-chat.llm',2,'flag','','{"changed_at":"2026-03-20T03:00:09+00:00","engagement":{"actor":{"id":"fallback automation","kind":"rule","name":"fallback automation"},"asked_at":"2026-03-20T04:01:16+00:00","at":"2026-03-20T03:00:09+00:00","because":["anthropic.api"],"expires_at":"2026-03-20T07:00:09+00:00","id":"support-chat.llm#1","incident":3,"mode":"auto","reason":"Claude API is down","share_back":0,"stepped_at":null,"variant":"cached"},"engagements":1,"held":"","key":"support-chat.llm","proposal":null,"released_at":null}');
INSERT INTO "states" VALUES('incident/3',11,'incident','','{"acknowledged_at":"2026-03-20T03:00:10+00:00","acknowledged_by":{"id":"U0ANA","kind":"person","name":"ana"},"affected":{"anthropic.api":{"failed_at":"2026-03-20T03:00:09+00:00","id":"anthropic.api","level":"operational","reason":"HTTP 502","recovered_at":"2026-03-20T04:01:16+00:00"}},"alert_channel_id":"","alert_ts":"","alerts_channel":"#ops","alerts_gone":0,"began_at":"2026-03-20T03:00:09+00:00","card_channel_id":"","card_ts":"","cards_gone":0,"channel":"","channel_attempt":1,"channel_name":"inc-20260320-0003-claude-api-down","channel_refused":"","declared_at":"2026-03-20T03:00:09+00:00","declared_by":{"id":"k-of-n window","kind":"rule","name":"k-of-n window"},"dedup":"anthropic","ended_reason":"well","last_update_at":"2026-03-20T04:01:12+00:00","mitigated_at":"2026-03-20T03:00:09+00:00","number":3,"outage_began_at":null,"outage_known_at":null,"phase":"resolved","provider":"anthropic","reason":"HTTP 502","relapses":0,"reopened":0,"resolve_asked_at":null,"resolved_at":"2026-03-20T04:01:17+00:00","resolved_by":{"id":"U0ANA","kind":"person","name":"ana"},"responders":[],"severity":"SEV2","severity_at":null,"severity_by_person":false,"title":"Claude API down","updates":2,"vendor_first_at":null,"vendor_words":0,"well_since":"2026-03-20T04:01:16+00:00"}');
INSERT INTO "states" VALUES('component/openai.api',2,'component','','{"advisory":"","advisory_key":"","advisory_since":null,"alerts":{},"began_at":"2026-03-20T04:01:15+00:00","evidence":[],"fault":"none","held_back":null,"id":"openai.api","level":"operational","mute":null,"quiet_key":"","reason":"HTTP 502","reports":[],"since":"2026-03-20T04:01:15+00:00","unwell_since":null}');
CREATE UNIQUE INDEX "idx__sqlite_migrations_migration_set_name"
    ON "_sqlite_migrations" ("migration_set", "name");
CREATE INDEX facts_incident ON facts (incident) WHERE incident IS NOT NULL;
CREATE TRIGGER facts_stay BEFORE UPDATE ON facts BEGIN SELECT RAISE(ABORT, 'a fact is never changed'); END;
CREATE TRIGGER facts_last BEFORE DELETE ON facts BEGIN SELECT RAISE(ABORT, 'a fact is never deleted'); END;
CREATE UNIQUE INDEX states_dedup ON states (dedup) WHERE dedup <> '';
CREATE INDEX outbox_lanes ON outbox (lane, id) WHERE state IN ('pending', 'sending', 'ambiguous');
CREATE INDEX outbox_slots ON outbox (slot) WHERE slot <> '' AND state IN ('pending', 'sending', 'ambiguous');
CREATE INDEX seen_until ON seen (until);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('facts',30);
INSERT INTO "sqlite_sequence" VALUES('outbox',66);
COMMIT;
