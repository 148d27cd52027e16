-- History cannot change.
CREATE FUNCTION ledger_refuse_change_v1() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP
    USING ERRCODE = 'integrity_constraint_violation',
          HINT = 'Correct the books with a compensating transfer.';
END
$$;
-----
CREATE TRIGGER ledger_account_append_only BEFORE UPDATE OR DELETE ON ledger_account
  FOR EACH ROW EXECUTE FUNCTION ledger_refuse_change_v1();
-----
CREATE TRIGGER ledger_account_no_truncate BEFORE TRUNCATE ON ledger_account
  FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change_v1();
-----
CREATE TRIGGER ledger_transfer_append_only BEFORE UPDATE OR DELETE ON ledger_transfer
  FOR EACH ROW EXECUTE FUNCTION ledger_refuse_change_v1();
-----
CREATE TRIGGER ledger_transfer_no_truncate BEFORE TRUNCATE ON ledger_transfer
  FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change_v1();
-----
CREATE TRIGGER ledger_posting_append_only BEFORE UPDATE OR DELETE ON ledger_posting
  FOR EACH ROW EXECUTE FUNCTION ledger_refuse_change_v1();
-----
CREATE TRIGGER ledger_posting_no_truncate BEFORE TRUNCATE ON ledger_posting
  FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change_v1();
-----
CREATE TRIGGER ledger_balance_no_delete BEFORE DELETE ON ledger_balance
  FOR EACH ROW EXECUTE FUNCTION ledger_refuse_change_v1();
-----
CREATE TRIGGER ledger_balance_no_truncate BEFORE TRUNCATE ON ledger_balance
  FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change_v1();
-----
-- Balances follow postings and nothing else: only the triggers below may write them.
CREATE FUNCTION ledger_balance_by_posting_v1() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF pg_trigger_depth() < 2 THEN
    RAISE EXCEPTION 'balances change by postings alone'
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NULL;
END
$$;
-----
CREATE TRIGGER ledger_balance_guard BEFORE INSERT OR UPDATE ON ledger_balance
  FOR EACH STATEMENT EXECUTE FUNCTION ledger_balance_by_posting_v1();
-----
CREATE FUNCTION ledger_open_balance_v1() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.kind <> 'platform' THEN
    INSERT INTO ledger_balance (account_id, earned, bought, income) VALUES (NEW.id, 0, 0, 0);
  END IF;
  RETURN NULL;
END
$$;
-----
CREATE TRIGGER ledger_account_balance AFTER INSERT ON ledger_account
  FOR EACH ROW EXECUTE FUNCTION ledger_open_balance_v1();
-----
-- A transfer's postings come in one statement, whole and balanced, and none comes later. Earned
-- Sparks stay earned; bought ones may become income, and nothing becomes bought again. So farmed
-- rewards never turn into what can be paid out.
CREATE FUNCTION ledger_apply_postings_v1() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  v_transfer text; v_one_transfer boolean := true; v_postings bigint := 0;
  v_earned bigint := 0; v_bought bigint := 0; v_income bigint := 0;
  p record;
BEGIN
  -- A loop, because setting up aggregates over a few rows costs more than all of the rest.
  FOR p IN SELECT transfer_id, account_id, earned, bought, income FROM posted LOOP
    v_one_transfer := v_one_transfer AND coalesce(v_transfer, p.transfer_id) = p.transfer_id;
    v_transfer := p.transfer_id;
    v_postings := v_postings + 1;
    v_earned := v_earned + p.earned;
    v_bought := v_bought + p.bought;
    v_income := v_income + p.income;
    -- The site's own accounts have no balance row, and this touches none.
    UPDATE ledger_balance b
       SET earned = b.earned + p.earned, bought = b.bought + p.bought, income = b.income + p.income
     WHERE b.account_id = p.account_id;
  END LOOP;
  IF v_postings = 0 THEN
    RETURN NULL;
  END IF;
  IF NOT v_one_transfer OR v_postings < 2
     OR v_earned <> 0 OR v_bought + v_income <> 0 OR v_bought > 0
     OR v_postings <> (SELECT count(*) FROM ledger_posting WHERE transfer_id = v_transfer)
  THEN
    RAISE EXCEPTION 'transfer % does not balance', v_transfer
      USING ERRCODE = 'integrity_constraint_violation',
            DETAIL = format('postings %s, earned %s, bought %s, income %s',
                            v_postings, v_earned, v_bought, v_income);
  END IF;
  RETURN NULL;
END
$$;
-----
CREATE TRIGGER ledger_posting_apply AFTER INSERT ON ledger_posting
  REFERENCING NEW TABLE AS posted
  FOR EACH STATEMENT EXECUTE FUNCTION ledger_apply_postings_v1();
-----
-- At commit each new transfer has its postings, and a hold that was settled is empty.
CREATE FUNCTION ledger_check_transfer_v1() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (SELECT FROM ledger_posting WHERE transfer_id = NEW.id) THEN
    RAISE EXCEPTION 'transfer % does not balance: it has no postings', NEW.id
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  IF NEW.type = 'settle' AND EXISTS (
    SELECT FROM ledger_balance
     WHERE account_id = NEW.source_id AND earned + bought + income > 0
  ) THEN
    RAISE EXCEPTION 'transfer % leaves a part of its hold behind', NEW.id
      USING ERRCODE = 'integrity_constraint_violation';
  END IF;
  RETURN NULL;
END
$$;
-----
CREATE CONSTRAINT TRIGGER ledger_transfer_balanced AFTER INSERT ON ledger_transfer
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_check_transfer_v1();
-----
-- Balance rows change all the time and no index covers the figures: room for updates in place.
ALTER TABLE ledger_balance SET (fillfactor = 60);
-----
INSERT INTO ledger_account (kind, key, escrow, created_at) VALUES
  ('platform', 'platform:rewards', '', now()),
  ('platform', 'platform:operator', '', now()),
  ('platform', 'platform:purchases', '', now()),
  ('platform', 'platform:work', '', now());
