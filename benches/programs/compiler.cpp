// A small compiler over LLVM's static archives: reads a file of LLVM IR, verifies and optimizes it, and prints assembly for x86-64.
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/IR/Verifier.h"
#include "llvm/IRReader/IRReader.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Target/TargetMachine.h"
#include <memory>
#include <string>

using namespace llvm;

static int fail(const Twine &why) {
  errs() << why << "\n";
  return 1;
}

static void optimize(Module &module, TargetMachine &machine) {
  LoopAnalysisManager loops;
  FunctionAnalysisManager functions;
  CGSCCAnalysisManager components;
  ModuleAnalysisManager modules;
  PassBuilder passes(&machine);
  passes.registerModuleAnalyses(modules);
  passes.registerCGSCCAnalyses(components);
  passes.registerFunctionAnalyses(functions);
  passes.registerLoopAnalyses(loops);
  passes.crossRegisterProxies(loops, functions, components, modules);
  passes.buildPerModuleDefaultPipeline(OptimizationLevel::O2).run(module, modules);
}

int main(int argc, char **argv) {
  if (argc != 2)
    return fail("usage: compiler file.ll");
  LLVMContext context;
  SMDiagnostic diagnostic;
  std::unique_ptr<Module> module = parseIRFile(argv[1], diagnostic, context);
  if (!module || verifyModule(*module, &errs())) {
    diagnostic.print("compiler", errs());
    return 1;
  }
  LLVMInitializeX86TargetInfo();
  LLVMInitializeX86Target();
  LLVMInitializeX86TargetMC();
  LLVMInitializeX86AsmPrinter();
  Triple triple("x86_64-unknown-linux-gnu");
  std::string error;
  const Target *target = TargetRegistry::lookupTarget(triple, error);
  if (!target)
    return fail(error);
  std::unique_ptr<TargetMachine> machine(target->createTargetMachine(triple, "", "", TargetOptions(), Reloc::PIC_));
  module->setDataLayout(machine->createDataLayout());
  optimize(*module, *machine);
  SmallString<0> assembly;
  raw_svector_ostream stream(assembly);
  legacy::PassManager emit;
  if (machine->addPassesToEmitFile(emit, stream, nullptr, CodeGenFileType::AssemblyFile))
    return fail("no assembly for this target");
  emit.run(*module);
  outs() << assembly;
  return 0;
}
