CREATE TABLE e (at timestamptz DEFAULT now());
