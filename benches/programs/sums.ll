; What the compiler of the benchmark compiles: a sum in a loop, and a count of bits over a table.
@table = internal constant [4 x i32] [i32 3, i32 14, i32 159, i32 2653]

define i32 @sum(i32 %n) {
entry:
  br label %loop
loop:
  %i = phi i32 [ 0, %entry ], [ %next, %loop ]
  %total = phi i32 [ 0, %entry ], [ %more, %loop ]
  %more = add i32 %total, %i
  %next = add i32 %i, 1
  %again = icmp slt i32 %next, %n
  br i1 %again, label %loop, label %done
done:
  ret i32 %more
}

declare i32 @llvm.ctpop.i32(i32)

define i32 @bits() {
entry:
  br label %loop
loop:
  %i = phi i64 [ 0, %entry ], [ %next, %loop ]
  %total = phi i32 [ 0, %entry ], [ %more, %loop ]
  %place = getelementptr [4 x i32], ptr @table, i64 0, i64 %i
  %value = load i32, ptr %place
  %count = call i32 @llvm.ctpop.i32(i32 %value)
  %more = add i32 %total, %count
  %next = add i64 %i, 1
  %again = icmp ult i64 %next, 4
  br i1 %again, label %loop, label %done
done:
  ret i32 %more
}
