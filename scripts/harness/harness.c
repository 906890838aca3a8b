/* An engine in C as a subject of the oracle: one line of JSON in, one line out.
 *
 *   cc -O1 -o /tmp/engine scripts/harness/harness.c scripts/harness/engine.c -lm
 *   oracle check --exec /tmp/engine
 *
 * strtod and printf's %a read and write the C99 hex floats of the protocol. */

#include "engine.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* JSON, as much of it as the oracle sends: objects, lists, strings without escapes, whole numbers. ------------- */

typedef struct Json {
    char kind;          /* one of { [ " 0 */
    char *text;         /* of a string */
    long number;        /* of a number */
    char *key;          /* in an object */
    struct Json *first; /* of a list or an object */
    struct Json *next;
} Json;

static void fail(const char *what)
{
    fprintf(stderr, "harness: %s\n", what);
    exit(1);
}

static void *room(size_t bytes)
{
    void *out = calloc(1, bytes);
    if (!out)
        fail("out of memory");
    return out;
}

static char *space(char *at)
{
    while (isspace((unsigned char)*at))
        at++;
    return at;
}

static char *string(char *at, char **out)
{
    char *end = strchr(at + 1, '"');
    if (!end)
        fail("a string without an end");
    *end = 0;
    *out = at + 1;
    return end + 1;
}

static char *parse(char *at, Json *out)
{
    at = space(at);
    out->kind = *at;
    if (*at == '"')
        return string(at, &out->text);
    if (*at != '[' && *at != '{') {
        out->kind = '0';
        out->number = strtol(at, &at, 10);
        return at;
    }
    char end = *at == '[' ? ']' : '}';
    Json **last = &out->first;
    for (at = space(at + 1); *at && *at != end; at = space(at)) {
        Json *item = room(sizeof *item);
        if (end == '}')
            at = strchr(string(at, &item->key), ':') + 1;
        at = space(parse(at, item));
        *last = item;
        last = &item->next;
        if (*at == ',')
            at++;
    }
    return at + 1;
}

static void discard(Json *list)
{
    while (list) {
        Json *next = list->next;
        discard(list->first);
        free(list);
        list = next;
    }
}

static Json *get(Json *object, const char *key)
{
    for (Json *item = object->first; item; item = item->next)
        if (item->key && !strcmp(item->key, key))
            return item;
    return NULL;
}

static long length(Json *list)
{
    long n = 0;
    for (Json *item = list->first; item; item = item->next)
        n++;
    return n;
}

/* Answers ------------------------------------------------------------------------------------------------------ */

static void print_float(double x)
{
    if (isnan(x))
        printf("\"nan\"");
    else if (isinf(x))
        printf(x > 0 ? "\"inf\"" : "\"-inf\"");
    else
        printf("\"%a\"", x);
}

static void print_column(const char *name, Value **values, long size, int gradient)
{
    printf("\"%s\":[", name);
    for (long k = 0; k < size; k++) {
        if (k)
            putchar(',');
        print_float(gradient ? values[k]->grad : values[k]->data);
    }
    putchar(']');
}

static void start(void)
{
    printf("{\"protocol\":1,\"name\":\"%s\",\"language\":\"c\",\"ops\":[", ENGINE);
    for (int k = 0; OPS[k].name; k++)
        printf("%s\"%s\"", k ? "," : "", OPS[k].name);
    printf("],\"grads\":\"all\",\"capabilities\":[]}");
}

static const Op *find(const char *name)
{
    for (const Op *op = OPS; op->name; op++)
        if (!strcmp(op->name, name))
            return op;
    return NULL;
}

static Value *operand(Json *x, Value **values)
{
    if (x->kind == '0')
        return values[x->number];
    if (!strcmp(x->first->key, "int"))
        return leaf((double)x->first->number);
    return leaf(strtod(x->first->text, NULL));
}

/* Compute every node of the program; the inputs are there already. */
static void compute(Json *nodes, Value **values, long k)
{
    for (Json *node = nodes->first; node; node = node->next, k++) {
        Json *name = node->first, *operands = name->next;
        Value *a = operand(operands->first, values);
        Value *b = operands->first->next ? operand(operands->first->next, values) : NULL;
        values[k] = apply(find(name->text), a, b);
    }
}

static void run(Json *message)
{
    Json *program = get(message, "program"), *inputs = get(program, "inputs"), *nodes = get(program, "nodes");
    long leaves = length(inputs), size = leaves + length(nodes), seen = 0, k = 0;
    printf("{\"id\":%ld,", get(message, "id")->number);
    for (Json *node = nodes->first; node; node = node->next)
        if (!find(node->first->text)) {
            printf("\"unsupported\":\"%s\"}", node->first->text);
            return;
        }
    Value **values = room((size_t)size * sizeof *values);
    for (Json *x = inputs->first; x; x = x->next)
        values[k++] = leaf(strtod(x->text, NULL));
    compute(nodes, values, leaves);
    printf("\"observations\":[");
    for (Json *step = get(message, "steps")->first; step; step = step->next) {
        const char *name = step->first->text;
        Json *word = step->first->next;
        if (!strcmp(name, "backward"))
            backward(values[word->number]);
        else if (!strcmp(name, "zero"))
            for (Json *i = word->first; i; i = i->next)
                values[i->number]->grad = 0;
        else if (!strcmp(name, "set"))
            values[word->number]->data = strtod(word->next->text, NULL);
        else if (!strcmp(name, "rebuild"))
            compute(nodes, values, leaves);
        else if (!strcmp(name, "observe")) {
            printf(seen++ ? ",{" : "{");
            print_column("data", values, size, 0);
            putchar(',');
            print_column("grad", values, size, 1);
            putchar('}');
        }
    }
    printf("]}");
    free(values);
    forget();
}

int main(void)
{
    char *line = NULL;
    size_t bytes = 0;
    while (getline(&line, &bytes, stdin) > 0) {
        Json message = {0};
        parse(line, &message);
        const char *command = get(&message, "cmd")->text;
        if (!strcmp(command, "stop"))
            break;
        if (!strcmp(command, "start"))
            start();
        else if (!strcmp(command, "run"))
            run(&message);
        else
            printf("{\"id\":%ld,\"unsupported\":\"%s\"}", get(&message, "id")->number, command);
        putchar('\n');
        fflush(stdout);
        discard(message.first);
    }
    free(line);
    return 0;
}
