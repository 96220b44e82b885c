/*
 * ordered_pool.c - nodes and separators of one ordered index; see ordered_pool.h for the rules
 */
#include "index/ordered_pool.h"

static void *memory_take(struct tn_pool *pool, size_t bytes)
{
    void *block = tn_memory_new(pool->memory, bytes, false);

    if (block != NULL)
        pool->bytes += bytes;
    return block;
}

static void memory_give(struct tn_pool *pool, void *block, size_t bytes)
{
    pool->bytes -= bytes;
    tn_memory_free(pool->memory, block, bytes);
}

struct tn_leaf *tn_pool_take_leaf(struct tn_pool *pool)
{
    struct tn_leaf *leaf = pool->leaves;

    tn_assert(leaf != NULL); /* P2 */
    pool->leaves = leaf->next;
    pool->leaf_count--;
    return leaf;
}

struct tn_inner *tn_pool_take_inner(struct tn_pool *pool)
{
    struct tn_inner *inner = pool->inners;

    tn_assert(inner != NULL); /* P2 */
    pool->inners = inner->children[0];
    pool->inner_count--;
    return inner;
}

void tn_pool_give_leaf(struct tn_pool *pool, struct tn_leaf *leaf)
{
    leaf->next = pool->leaves;
    pool->leaves = leaf;
    pool->leaf_count++;
}

void tn_pool_give_inner(struct tn_pool *pool, struct tn_inner *inner)
{
    inner->children[0] = pool->inners;
    pool->inners = inner;
    pool->inner_count++;
}

static void pool_trim_nodes(struct tn_pool *pool, unsigned leaf_count, unsigned inner_count)
{
    while (pool->leaf_count > leaf_count)
        memory_give(pool, tn_pool_take_leaf(pool), sizeof(struct tn_leaf));
    while (pool->inner_count > inner_count)
        memory_give(pool, tn_pool_take_inner(pool), sizeof(struct tn_inner));
}

/* Allocate spares up to these numbers; false: no memory, and fewer are there. */
static bool pool_fill_nodes(struct tn_pool *pool, unsigned leaf_count, unsigned inner_count)
{
    while (pool->leaf_count < leaf_count) {
        struct tn_leaf *leaf = memory_take(pool, sizeof *leaf);

        if (leaf == NULL)
            return false;
        tn_leaf_prefetch_all(leaf); /* it is written as a whole when a leaf splits */
        /* tn_leaf_find compares sixteen at once, also such as were never used. */
        memset(leaf->handle_highs, 0, sizeof leaf->handle_highs);
        tn_pool_give_leaf(pool, leaf);
    }
    while (pool->inner_count < inner_count) {
        struct tn_inner *inner = memory_take(pool, sizeof *inner);

        if (inner == NULL)
            return false;
        tn_pool_give_inner(pool, inner);
    }
    return true;
}

struct tn_separator_block *tn_pool_next_block(const struct tn_separator_block *block)
{
    struct tn_separator_block *next;

    memcpy(&next, block->text, sizeof next);
    return next;
}

static void pool_give_block(struct tn_pool *pool, struct tn_separator_block *block)
{
    memcpy(block->text, &pool->blocks, sizeof pool->blocks);
    pool->blocks = block;
    pool->block_count++;
}

static struct tn_separator_block *pool_pop_block(struct tn_pool *pool)
{
    struct tn_separator_block *block = pool->blocks;

    tn_assert(block != NULL); /* P2 */
    pool->blocks = tn_pool_next_block(block);
    pool->block_count--;
    return block;
}

static void pool_trim_blocks(struct tn_pool *pool, unsigned count)
{
    while (pool->block_count > count) {
        struct tn_separator_block *block = pool_pop_block(pool);

        memory_give(pool, block, block->block_bytes);
    }
}

/* Allocate spares up to `count`; false: no memory, and fewer are there. */
static bool pool_add_blocks(struct tn_pool *pool, unsigned count, size_t text_bytes)
{
    size_t block_bytes = sizeof(struct tn_separator_block) + text_bytes;

    while (pool->block_count < count) {
        struct tn_separator_block *block = memory_take(pool, block_bytes);

        if (block == NULL)
            return false;
        block->block_bytes = (uint32_t)block_bytes;
        pool_give_block(pool, block);
    }
    return true;
}

/* Have `count` blocks for separators of up to `text_bytes`; false: no memory, nothing changed. */
static bool pool_fill_blocks(struct tn_pool *pool, unsigned count, size_t text_bytes)
{
    bool longer = text_bytes > pool->text_bytes_max;
    struct tn_pool before = *pool;

    if (text_bytes <= TN_SEPARATOR_HERE_BYTES)
        return true;
    if (longer) { /* P4: new ones for all, then the old ones go */
        pool->blocks = NULL;
        pool->block_count = 0;
        pool->text_bytes_max = text_bytes;
    }
    if (!pool_add_blocks(pool, count, pool->text_bytes_max)) {
        pool_trim_blocks(pool, longer ? 0 : before.block_count);
        if (longer) {
            pool->blocks = before.blocks;
            pool->block_count = before.block_count;
            pool->text_bytes_max = before.text_bytes_max;
        }
        return false;
    }
    if (longer) {
        struct tn_pool now = *pool;

        pool->blocks = before.blocks;
        pool->block_count = before.block_count;
        pool_trim_blocks(pool, 0);
        pool->blocks = now.blocks;
        pool->block_count = now.block_count;
    }
    return true;
}

bool tn_pool_fill(struct tn_pool *pool, unsigned leaf_count, unsigned inner_count,
                  size_t text_bytes)
{
    unsigned leaf_count_before = pool->leaf_count;
    unsigned inner_count_before = pool->inner_count;

    if (pool_fill_nodes(pool, leaf_count, inner_count) &&
        pool_fill_blocks(pool, leaf_count, text_bytes))
        return true;
    pool_trim_nodes(pool, leaf_count_before, inner_count_before); /* P3 */
    return false;
}

void tn_pool_trim(struct tn_pool *pool, unsigned leaf_count, unsigned inner_count)
{
    pool_trim_nodes(pool, leaf_count, inner_count);
    pool_trim_blocks(pool, (unsigned)tn_max(leaf_count, 1));
}

void tn_pool_empty(struct tn_pool *pool)
{
    pool_trim_nodes(pool, 0, 0);
    pool_trim_blocks(pool, 0);
}

/* Turn a spare block into one for text_bytes. It stays too big if memory will not shrink it. */
static struct tn_separator_block *pool_take_block(struct tn_pool *pool, size_t text_bytes)
{
    struct tn_separator_block *block = pool_pop_block(pool), *smaller;
    size_t block_bytes = sizeof *block + text_bytes;

    tn_assert(block->block_bytes >= block_bytes); /* P4 */
    if (block->block_bytes == block_bytes)
        return block;
    smaller = tn_memory_resize(pool->memory, block, block->block_bytes, block_bytes);
    if (smaller == NULL)
        return block;
    pool->bytes -= smaller->block_bytes - block_bytes;
    smaller->block_bytes = (uint32_t)block_bytes;
    return smaller;
}

struct tn_separator tn_pool_make_separator(struct tn_pool *pool, struct tn_key left,
                                           struct tn_key right)
{
    struct tn_separator separator = { .bytes = (uint16_t)(tn_key_shared(left, right) + 1) };
    uint8_t *text = separator.text.here;

    if (separator.bytes > TN_SEPARATOR_HERE_BYTES) {
        separator.text.block = pool_take_block(pool, separator.bytes);
        text = separator.text.block->text;
    }
    memcpy(text, right.at, separator.bytes);
    return separator;
}

void tn_pool_free_separator(struct tn_pool *pool, struct tn_separator separator)
{
    if (separator.bytes > TN_SEPARATOR_HERE_BYTES)
        memory_give(pool, separator.text.block, separator.text.block->block_bytes);
}
