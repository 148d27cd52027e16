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
  RETURN NEW;
END
$$;
-----
CREATE TRIGGER ledger_balance_guard BEFORE INSERT OR UPDATE ON ledger_balance
  FOR EACH ROW EXECUTE FUNCTION ledger_balance_by_posting_v1();
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
CREATE FUNCTION ledger_apply_posting_v1() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  -- The site's own accounts have no balance row, and this touches none.
  UPDATE ledger_balance
     SET earned = earned + NEW.earned, bought = bought + NEW.bought, income = income + NEW.income
   WHERE account_id = NEW.account_id;
  RETURN NULL;
END
$$;
-----
CREATE TRIGGER ledger_posting_apply AFTER INSERT ON ledger_posting
  FOR EACH ROW EXECUTE FUNCTION ledger_apply_posting_v1();
-----
-- A transfer balances. Earned Sparks stay earned; bought ones may become income, and nothing
-- becomes bought again. So farmed rewards never turn into what can be paid out.
CREATE FUNCTION ledger_check_transfer_v1(p_transfer text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  v_earned bigint; v_bought bigint; v_income bigint; v_postings bigint;
BEGIN
  SELECT sum(earned), sum(bought), sum(income), count(*)
    INTO v_earned, v_bought, v_income, v_postings
    FROM ledger_posting WHERE transfer_id = p_transfer;
  IF v_postings < 2 OR v_earned <> 0 OR v_bought + v_income <> 0 OR v_bought > 0 THEN
    RAISE EXCEPTION 'transfer % does not balance', p_transfer
      USING ERRCODE = 'integrity_constraint_violation',
            DETAIL = format('postings %s, earned %s, bought %s, income %s',
                            v_postings, v_earned, v_bought, v_income);
  END IF;
END
$$;
-----
CREATE FUNCTION ledger_check_posting_v1() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM ledger_check_transfer_v1(NEW.transfer_id);
  RETURN NULL;
END
$$;
-----
CREATE CONSTRAINT TRIGGER ledger_posting_balanced AFTER INSERT ON ledger_posting
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_check_posting_v1();
-----
CREATE FUNCTION ledger_check_new_transfer_v1() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  -- With postings the trigger above has the say; this one catches a transfer that has none.
  IF NOT EXISTS (SELECT FROM ledger_posting WHERE transfer_id = NEW.id) THEN
    PERFORM ledger_check_transfer_v1(NEW.id);
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
CREATE CONSTRAINT TRIGGER ledger_transfer_posted AFTER INSERT ON ledger_transfer
  DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION ledger_check_new_transfer_v1();
-----
-- Balance rows change all the time and no index covers the figures: room for updates in place.
ALTER TABLE ledger_balance SET (fillfactor = 60);
-----
INSERT INTO ledger_account (kind, key, escrow, created_at) VALUES
  ('platform', 'platform:rewards', '', now()),
  ('platform', 'platform:operator', '', now()),
  ('platform', 'platform:purchases', '', now()),
  ('platform', 'platform:work', '', now());
