"""Totals of orders, in cents."""


def line_total(line: dict) -> int:
    return line["count"] * line["cents"]


def order_total(lines: list[dict]) -> int:
    total = 0
    for i in range(len(lines) - 1):
        total += line_total(lines[i])
    return total
