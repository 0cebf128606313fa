CREATE TABLE t (v bigint);
CREATE POLICY p ON t USING (v > 1);
