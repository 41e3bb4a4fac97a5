/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "output.h"

#include <libsmartcols.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../liblayerbox/util/utf8.h"

/* A value as people read it; valid until the next call with the same @buffer. */
static const char *to_text(const json_t *value, char *buffer, size_t size)
{
	switch (json_typeof(value)) {
	case JSON_STRING:
		snprintf(buffer, size, "%s", json_string_value(value));
		break;
	case JSON_INTEGER:
		snprintf(buffer, size, "%lld", (long long)json_integer_value(value));
		break;
	case JSON_TRUE:
		return "yes";
	case JSON_FALSE:
		return "no";
	case JSON_ARRAY: {
		const json_t *item;
		size_t i, n = 0;

		buffer[0] = '\0';
		json_array_foreach (value, i, item)
			n += (size_t)snprintf(buffer + n, n < size ? size - n : 0, "%s%s", i ? ", " : "",
					      json_is_string(item) ? json_string_value(item) : "");
		break;
	}
	default:
		return "";
	}
	utf8_clean(buffer);
	for (char *tab = buffer; (tab = strchr(tab, '\t'));)
		*tab = '?';
	return buffer;
}

static const char *colour_of(const char *state)
{
	if (strcmp(state, "running") == 0)
		return "green";
	if (strcmp(state, "stopped") == 0)
		return "gray";
	return strcmp(state, "frozen") == 0 ? "cyan" : "yellow";
}

static struct libscols_table *make_table(const json_t *rows, const struct column *columns)
{
	struct libscols_table *table;
	const json_t *row;
	char buffer[1024];
	size_t i;

	scols_init_debug(0);
	table = scols_new_table();
	if (!table)
		return NULL;
	scols_table_enable_colors(table, isatty(STDOUT_FILENO) && !getenv("NO_COLOR"));
	for (const struct column *column = columns; column->key; column++)
		if (column->heading)
			scols_table_new_column(table, column->heading, 0, column->right ? SCOLS_FL_RIGHT : 0);
	json_array_foreach (rows, i, row) {
		struct libscols_line *line = scols_table_new_line(table, NULL);
		size_t n = 0;

		for (const struct column *column = columns; line && column->key; column++) {
			const json_t *value = json_object_get(row, column->key);

			if (!column->heading)
				continue;
			scols_line_set_data(line, n, value ? to_text(value, buffer, sizeof buffer) : "");
			if (strcmp(column->key, "state") == 0 && json_is_string(value))
				scols_cell_set_color(scols_line_get_cell(line, n), colour_of(json_string_value(value)));
			n++;
		}
	}
	return table;
}

static void print_table(const json_t *rows, const struct column *columns)
{
	struct libscols_table *table = make_table(rows, columns);

	if (table)
		scols_print_table(table);
	scols_unref_table(table);
}

char *rows_to_text(const json_t *rows, const struct column *columns, size_t width)
{
	struct libscols_table *table = make_table(rows, columns);
	char *text = NULL;

	if (!table)
		return NULL;
	/* Names give way where a line would be longer than the screen is wide. */
	scols_column_set_flags(scols_table_get_column(table, 0), SCOLS_FL_TRUNC);
	scols_table_set_termforce(table, SCOLS_TERMFORCE_ALWAYS);
	scols_table_set_termwidth(table, width);
	if (scols_print_table_to_string(table, &text) != 0)
		text = NULL;
	scols_unref_table(table);
	return text;
}

static void print_fields(const json_t *object, const struct column *columns)
{
	char buffer[4096];

	for (; columns->key; columns++) {
		const json_t *value = json_object_get(object, columns->key);

		if (columns->heading && value && !json_is_null(value) && *to_text(value, buffer, sizeof buffer))
			printf("%-13s %s\n", columns->heading, to_text(value, buffer, sizeof buffer));
	}
}

static void print_json(const json_t *value)
{
	json_dumpf(value, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(12));
	putchar('\n');
}

void show_rows(const json_t *rows, const struct column *columns, bool as_json)
{
	if (as_json)
		print_json(rows);
	else
		print_table(rows, columns);
}

void show_object(const json_t *object, const struct column *columns, bool as_json)
{
	if (as_json)
		print_json(object);
	else
		print_fields(object, columns);
}

json_t *json_time(int64_t seconds)
{
	time_t time = (time_t)seconds;
	struct tm parts;
	char text[32] = "";

	if (localtime_r(&time, &parts))
		strftime(text, sizeof text, "%Y-%m-%d %H:%M", &parts);
	return json_string(text);
}

json_t *json_size(uint64_t bytes)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB" };
	double number = (double)bytes;
	size_t unit = 0;
	char text[32];

	while (number >= 1024 && unit < 4) {
		number /= 1024;
		unit++;
	}
	snprintf(text, sizeof text, number < 10 && unit ? "%.1f %s" : "%.0f %s", number, units[unit]);
	return json_string(text);
}

/* ---- paths, which may hold any byte ---- */

char *text_shown(const char *path)
{
	char *text = malloc(4 * strlen(path) + 1), *to = text;

	for (const char *s = path; text && *s;) {
		size_t n = *s == '\\' ? 0 : utf8_character(s);

		if (n)
			to = mempcpy(to, s, n);
		else
			to += sprintf(to, "\\%03o", (unsigned char)*s);
		s += n ? n : 1;
	}
	if (text)
		*to = '\0';
	return text;
}

json_t *json_text(const char *text)
{
	char *shown = text ? text_shown(text) : NULL;
	json_t *value = shown ? json_string(shown) : json_null();

	free(shown);
	return value;
}
