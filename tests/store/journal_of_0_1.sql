-- A journal that clawd 0.1 wrote, as SQLite's iterdump gives it, with the two numbers of its header.
PRAGMA application_id=1129073228;
PRAGMA user_version=1;
BEGIN TRANSACTION;
CREATE TABLE journal(
            seq INTEGER PRIMARY KEY,
            ts INTEGER NOT NULL,
            kind TEXT NOT NULL,
            body TEXT NOT NULL,
            hash TEXT NOT NULL
        );
INSERT INTO "journal" VALUES(1,1700000000000000000,'OrderFilled','{"agent":"a001","note":"ü ✓ \u0000","order":"a001-0","price":"2488.83","size":"-0.00251122","symbol":"SP500"}','177eaf54312a7503d5d994e10cbcf4770d841449c6f37dc941e2e021c08943be');
INSERT INTO "journal" VALUES(2,1700000000000000001,'OrderFilled','{"agent":"a001","note":"ü ✓ \u0000","order":"a001-1","price":"2489.83","size":"-0.00251122","symbol":"SP500"}','1897ba5e23faa1bf7043ed581b93b4bff77651e03d0f5068638321d41685f412');
INSERT INTO "journal" VALUES(3,1700000000000000002,'OrderFilled','{"agent":"a001","note":"ü ✓ \u0000","order":"a001-2","price":"2490.83","size":"-0.00251122","symbol":"SP500"}','0640eb110be89592f2ccdb9161d5ed2210f94233132a4993c47eec421eb69232');
INSERT INTO "journal" VALUES(4,1700000000000000003,'OrderFilled','{"agent":"a001","note":"ü ✓ \u0000","order":"a001-3","price":"2491.83","size":"-0.00251122","symbol":"SP500"}','0bcb135a617c6ef6760cea52dde772c3fb34f93911b8ce42bb999e2691232fb9');
INSERT INTO "journal" VALUES(5,1700000000000000009,'BooksMarked','{"agents":{"a001":["50",0.1]},"equity":"100.25","time":5}','8a29b808fad7c13069535813c52133ab62b82eedb0aeb4dec7d7d6fdfcf7e166');
CREATE TRIGGER journal_keeps BEFORE UPDATE ON journal
        BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER journal_holds BEFORE DELETE ON journal
        BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END;
CREATE TRIGGER journal_grows BEFORE INSERT ON journal
        WHEN NEW.seq IS NOT (SELECT COALESCE(MAX(seq), 0) + 1 FROM journal)
        BEGIN SELECT RAISE(ABORT, 'the journal grows at its end only'); END;
COMMIT;
