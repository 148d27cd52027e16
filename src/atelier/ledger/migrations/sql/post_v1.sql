CREATE FUNCTION ledger_wallet_v1(p_user integer, p_at timestamptz) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
  v_id bigint;
BEGIN
  SELECT id INTO v_id FROM ledger_account WHERE key = 'user:' || p_user;
  IF v_id IS NULL AND p_user IS NOT NULL THEN
    INSERT INTO ledger_account (kind, key, user_id, escrow, created_at)
    VALUES ('wallet', 'user:' || p_user, p_user, '', p_at)
    ON CONFLICT (key) DO NOTHING RETURNING id INTO v_id;
    IF v_id IS NULL THEN
      SELECT id INTO v_id FROM ledger_account WHERE key = 'user:' || p_user;
    END IF;
  END IF;
  RETURN v_id;
END
$$;
-----
-- What happened before under a business key: nothing, the same, or something else.
CREATE FUNCTION ledger_replay_v1(p_business_key text, p_fingerprint text, p_otherwise text)
RETURNS TABLE (status text, transfer_id text) LANGUAGE plpgsql AS $$
DECLARE
  v_id text; v_fingerprint text;
BEGIN
  SELECT t.id, t.fingerprint INTO v_id, v_fingerprint
    FROM ledger_transfer t WHERE t.business_key = p_business_key;
  IF v_id IS NULL THEN
    RETURN QUERY SELECT p_otherwise, NULL::text;
  ELSIF v_fingerprint = p_fingerprint THEN
    RETURN QUERY SELECT 'replayed'::text, v_id;
  ELSE
    RETURN QUERY SELECT 'conflict'::text, v_id;
  END IF;
END
$$;
-----
-- Posts one transfer and answers what it did. `status` is
--   posted        it happened now
--   replayed      it happened before under this key, with the same parties and amounts
--   conflict      the key was used for something else
--   insufficient  the source does not hold that much
--   unknown       there is no such account, stake or hold
--   spent         nothing is left in the stake, or the hold was resolved before
-- Only `posted` changes anything. p_amount is NULL for "all that is left" of a stake.
-- Rows of ledger_balance are locked in the order of their ids. The key is looked up only when the
-- books say no: its unique index decides otherwise.
CREATE FUNCTION ledger_post_v1(
  p_type text, p_id text, p_business_key text,
  p_from integer, p_to integer, p_amount bigint, p_kind text, p_platform text,
  p_escrow text, p_stake text, p_hold text,
  p_reason text, p_subject_kind text, p_subject_id text, p_actor integer, p_at timestamptz
) RETURNS TABLE (status text, transfer_id text) LANGUAGE plpgsql AS $$
#variable_conflict use_column
DECLARE
  v_fingerprint text := concat_ws('|', p_type, coalesce(p_from, 0), coalesce(p_to, 0),
    coalesce(p_amount, 0), p_kind, p_platform, p_escrow, p_stake,
    CASE WHEN p_type = 'settle' THEN p_hold ELSE '' END);
  v_made text;
  v_source bigint; v_target bigint; v_rest_to bigint;
  v_owner integer;
  v_want bigint;
  v_row record;
  h_earned bigint := 0; h_bought bigint := 0; h_income bigint := 0;  -- held by the source
  t_earned bigint; t_bought bigint; t_income bigint;  -- taken from it
BEGIN
  -- Who gives, who gets.
  IF p_type IN ('pay', 'fund', 'hold') THEN
    v_source := ledger_wallet_v1(p_from, p_at);
  ELSIF p_type = 'credit' THEN
    SELECT a.id INTO v_source FROM ledger_account a
     WHERE a.key = 'platform:' || p_platform AND a.kind = 'platform';
  ELSIF p_type IN ('release', 'refund') THEN
    SELECT a.id, a.user_id INTO v_source, v_owner FROM ledger_account a
     WHERE a.key = 'stake:' || p_stake AND a.kind = 'stake' AND a.escrow = p_escrow;
    IF p_type = 'refund' AND v_owner IS DISTINCT FROM p_to THEN
      v_source := NULL;
    END IF;
  ELSIF p_type = 'settle' THEN
    SELECT a.id, a.user_id INTO v_source, v_owner FROM ledger_account a
     WHERE a.key = 'hold:' || p_hold AND a.kind = 'hold';
  END IF;
  IF v_source IS NULL THEN
    RETURN QUERY SELECT * FROM ledger_replay_v1(p_business_key, v_fingerprint, 'unknown');
    RETURN;
  END IF;
  IF p_type IN ('credit', 'pay', 'release', 'refund') THEN
    v_target := ledger_wallet_v1(p_to, p_at);
  ELSIF p_type = 'settle' THEN
    SELECT a.id INTO v_target FROM ledger_account a
     WHERE a.key = 'platform:' || p_platform AND a.kind = 'platform';
    v_rest_to := ledger_wallet_v1(v_owner, p_at);
  END IF;

  FOR v_row IN
    SELECT b.account_id, b.earned, b.bought, b.income FROM ledger_balance b
     WHERE b.account_id IN (v_source, v_target, v_rest_to)
     ORDER BY b.account_id FOR NO KEY UPDATE
  LOOP
    IF v_row.account_id = v_source THEN
      h_earned := v_row.earned; h_bought := v_row.bought; h_income := v_row.income;
    END IF;
  END LOOP;

  -- How much of each kind. Spent in the order earned, income, bought.
  IF p_type = 'credit' THEN
    v_want := p_amount;
    t_earned := CASE WHEN p_kind = 'earned' THEN p_amount ELSE 0 END;
    t_bought := CASE WHEN p_kind = 'bought' THEN p_amount ELSE 0 END;
    t_income := CASE WHEN p_kind = 'income' THEN p_amount ELSE 0 END;
  ELSE
    IF p_type IN ('release', 'refund', 'settle') AND h_earned + h_bought + h_income = 0 THEN
      RETURN QUERY SELECT * FROM ledger_replay_v1(p_business_key, v_fingerprint, 'spent');
      RETURN;
    END IF;
    v_want := coalesce(p_amount, h_earned + h_bought + h_income);
    t_earned := least(h_earned, v_want);
    t_income := least(h_income, v_want - t_earned);
    t_bought := v_want - t_earned - t_income;
    IF t_bought > h_bought THEN
      RETURN QUERY SELECT * FROM ledger_replay_v1(p_business_key, v_fingerprint, 'insufficient');
      RETURN;
    END IF;
  END IF;

  IF p_type IN ('fund', 'hold') THEN
    -- The key is the account's own, so that a replay finds the first one and makes no second.
    INSERT INTO ledger_account (kind, key, user_id, escrow, created_at)
    SELECT CASE p_type WHEN 'fund' THEN 'stake' ELSE 'hold' END,
           CASE p_type WHEN 'fund' THEN 'stake:' || p_business_key ELSE 'hold:' || p_hold END,
           p_from, CASE p_type WHEN 'fund' THEN p_escrow ELSE '' END, p_at
     WHERE p_type = 'fund'
        OR NOT EXISTS (SELECT FROM ledger_transfer t WHERE t.business_key = p_business_key)
    ON CONFLICT (key) DO NOTHING RETURNING id INTO v_target;
  END IF;
  IF v_target IS NOT NULL THEN
    INSERT INTO ledger_transfer (id, business_key, type, source_id, target_id, amount, fingerprint,
                                 reason, subject_kind, subject_id, actor_id, created_at)
    VALUES (p_id, p_business_key, p_type, v_source, v_target, v_want, v_fingerprint,
            p_reason, p_subject_kind, p_subject_id, p_actor, p_at)
    ON CONFLICT (business_key) DO NOTHING RETURNING id INTO v_made;
  END IF;
  IF v_made IS NULL THEN
    RETURN QUERY SELECT * FROM ledger_replay_v1(p_business_key, v_fingerprint, 'conflict');
    RETURN;
  END IF;

  -- A receiver's bought Sparks arrive as income; what comes back to its owner keeps its kind.
  INSERT INTO ledger_posting (transfer_id, account_id, earned, bought, income)
  SELECT p_id, m.account, m.earned, m.bought, m.income
    FROM (VALUES
      (v_source,
       CASE WHEN p_type = 'settle' THEN -h_earned ELSE -t_earned END,
       CASE WHEN p_type = 'settle' THEN -h_bought ELSE -t_bought END,
       CASE WHEN p_type = 'settle' THEN -h_income ELSE -t_income END),
      (v_target,
       t_earned,
       CASE WHEN p_type IN ('pay', 'release') THEN 0 ELSE t_bought END,
       CASE WHEN p_type IN ('pay', 'release') THEN t_bought + t_income ELSE t_income END),
      (v_rest_to, h_earned - t_earned, h_bought - t_bought, h_income - t_income)
    ) AS m (account, earned, bought, income)
   WHERE m.account IS NOT NULL AND (m.earned <> 0 OR m.bought <> 0 OR m.income <> 0);
  RETURN QUERY SELECT 'posted'::text, p_id;
END
$$;
