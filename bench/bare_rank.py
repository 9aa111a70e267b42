"""The bare limit of ranking: one window query over all orders, and its answer written down."""

from __future__ import annotations

import sqlalchemy as sa

from bench.measure import Stopwatch

_NUMBERS = """
    CREATE TEMPORARY TABLE numbered AS
    WITH placed AS (
        SELECT o.id, o.customer_id, o.counting, o.ordered_at, o.ordered_on, o.number, o.spend,
               c.name AS channel, CASE c.family WHEN 'own' THEN 'own' ELSE c.name END AS scope,
               {months} AS months
        FROM orders AS o JOIN channels AS c ON c.id = o.channel_id
        WHERE o.customer_id IS NOT NULL
    )
    SELECT id, customer_id, scope, counting, ordered_at, ordered_on, spend,
           row_number() OVER in_scope AS ordinal,
           dense_rank() OVER (
               PARTITION BY customer_id, scope, counting ORDER BY ordered_on
           ) AS visits,
           row_number() OVER (
               PARTITION BY customer_id, counting ORDER BY ordered_at, channel, number
           ) AS ordinal_overall,
           sum(spend) OVER (in_scope ROWS UNBOUNDED PRECEDING) AS spent,
           count(*) OVER two_years AS orders_24m, sum(spend) OVER two_years AS spend_24m,
           count(*) OVER one_year AS orders_12m, sum(spend) OVER one_year AS spend_12m,
           lead(id) OVER in_scope IS NULL AS newest
    FROM placed
    WINDOW
        in_scope AS (
            PARTITION BY customer_id, scope, counting ORDER BY ordered_at, channel, number
        ),
        two_years AS (
            PARTITION BY customer_id, scope, counting ORDER BY months RANGE 743 PRECEDING
        ),
        one_year AS (
            PARTITION BY customer_id, scope, counting ORDER BY months RANGE 371 PRECEDING
        )
"""

# A month has 31 places, so that "24 months before" is the same day of the month.
_MONTHS = {
    "sqlite": "strftime('%Y', o.ordered_on) * 372 + strftime('%m', o.ordered_on) * 31"
    " + strftime('%d', o.ordered_on)",
    "postgresql": "CAST(extract(year FROM o.ordered_on) * 372"
    " + extract(month FROM o.ordered_on) * 31 + extract(day FROM o.ordered_on) AS integer)",
}

_RANK = """
    CASE WHEN NOT counting THEN NULL WHEN visits = 1 THEN 'first'
         WHEN orders_24m >= 5 AND spend_24m >= 30000 THEN 'vip'
         WHEN orders_12m >= 3 AND spend_12m >= 100000 THEN 'vip' ELSE 'repeat' END
"""

_FACTS = """
    CASE WHEN NOT counting THEN '{{}}'
         ELSE '{{"on":"' || ordered_on || '","orders":' || ordinal || ',"visits":' || visits
              || ',"spend":' || spent || CASE WHEN visits = 1 THEN '' ELSE
              ',"windows":{{"24m":[' || orders_24m || ',' || spend_24m || '],"12m":['
              || orders_12m || ',' || spend_12m || ']}}' END || '}}' END
"""

_ORDERS = """
    INSERT INTO order_standings (order_id, customer_id, scope, ordinal, visit_number,
                                 ordinal_overall, certainty, rank, facts, ladder)
    SELECT id, customer_id, scope, CASE WHEN counting THEN ordinal END,
           CASE WHEN counting THEN visits END, CASE WHEN counting THEN ordinal_overall END,
           'proved', {rank}, CAST({facts} AS {json}), 'shipped'
    FROM numbered WHERE true
    ON CONFLICT (order_id) DO UPDATE SET
        customer_id = excluded.customer_id, scope = excluded.scope, ordinal = excluded.ordinal,
        visit_number = excluded.visit_number, ordinal_overall = excluded.ordinal_overall,
        certainty = excluded.certainty, rank = excluded.rank, facts = excluded.facts,
        ladder = excluded.ladder
"""

_CUSTOMERS = """
    INSERT INTO customer_standings (customer_id, scope, rank, count, visits, net_spend,
                                    first_order_at, last_order_at, certainty, facts, ladder)
    SELECT customer_id, {scope}, max(CASE WHEN newest THEN {rank} END), count(*),
           count(DISTINCT ordered_on), sum(spend), min(ordered_at), max(ordered_at), 'proved',
           CAST(max(CASE WHEN newest THEN {facts} END) AS {json}), 'shipped'
    FROM numbered WHERE counting GROUP BY customer_id{and_scope}
    ON CONFLICT (customer_id, scope) DO UPDATE SET
        rank = excluded.rank, count = excluded.count, visits = excluded.visits,
        net_spend = excluded.net_spend, first_order_at = excluded.first_order_at,
        last_order_at = excluded.last_order_at, certainty = excluded.certainty,
        facts = excluded.facts, ladder = excluded.ladder
"""


def statements(dialect: str) -> list[str]:
    """The query and the writing of its answer: orders, customers by scope, customers overall."""
    json = "jsonb" if dialect == "postgresql" else "text"
    words = {"rank": _RANK, "facts": _FACTS.format(), "json": json}
    return [
        _NUMBERS.format(months=_MONTHS[dialect]),
        _ORDERS.format(**words),
        _CUSTOMERS.format(**words, scope="scope", and_scope=", scope"),
        _CUSTOMERS.format(**words, scope="'*'", and_scope=""),
        "DROP TABLE numbered",
    ]


def rank(engine: sa.Engine, watch: Stopwatch) -> int:
    """Number and rank every order by the shipped ladder, in one transaction; gives how many.

    Knows nothing of demotion, grace, pins, opening counts, uncertainty or provisional numbers,
    and overwrites every row whether it changed or not.
    """
    with watch.running(), engine.begin() as connection:
        number, orders, *rest = statements(engine.dialect.name)
        connection.exec_driver_sql(number)
        done = connection.exec_driver_sql(orders).rowcount
        for statement in rest:
            connection.exec_driver_sql(statement)
    return done
