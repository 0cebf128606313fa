CREATE TABLE t (v integer);
CREATE POLICY p ON t USING (v > 1);
